"""Our server without some of what makes it fast: python benchmarks/without.py PART… ; see ``PARTS``.

What a part brings is measured by leaving it out. Users have no use for that, so it is done here and not by
settings.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from lsp_server import completer
from lsp_server.cli import main
from lsp_server.completion.cache import CompletionCache
from lsp_server.engine.flight import Flights


def _nothing(*_arguments: Any, **_more: Any) -> None:
    return None


def _without_cache() -> None:
    CompletionCache.find = _nothing


def _without_flights() -> None:
    Flights.along = lambda flights, place, *_more: flights.stop(place.document.uri, "superseded")


def _without_debounce() -> None:
    completer.AUTO_DEBOUNCE_MS = 0


PARTS: Mapping[str, Callable[[], None]] = {
    "cache": _without_cache,
    "flights": _without_flights,
    "debounce": _without_debounce,
}
"""By name, what takes it away."""


if __name__ == "__main__":
    for part in sys.argv[1:]:
        PARTS[part]()
    sys.argv[1:] = ["serve", "--stdio"]
    sys.exit(main())
