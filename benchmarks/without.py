"""Our server without some of what makes it fast: python benchmarks/without.py PART… ; see ``PARTS``.

What a part brings is measured by leaving it out. Users have no use for that, so it is done here and not by
settings.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from lsp_server.backends import ik_llama
from lsp_server.backends.base import GenerationRequest
from lsp_server.backends.lookahead import PromptLookup
from lsp_server.cli import main
from lsp_server.completer import Completer
from lsp_server.completion.anchor import Anchors
from lsp_server.completion.cache import CompletionCache
from lsp_server.completion.context import select_window
from lsp_server.completion.rhythm import SHORTEST_S, Rhythm
from lsp_server.engine import lines, plan
from lsp_server.engine.ahead import Ahead
from lsp_server.engine.flights import Flights


def _nothing(*_arguments: Any, **_more: Any) -> None:
    return None


def _put(owner: Any, name: str, value: Any) -> None:
    """Put something in the place of a part, which must be there."""
    getattr(owner, name)
    setattr(owner, name, value)


def _without_cache() -> None:
    _put(CompletionCache, "find", _nothing)


def _without_flights() -> None:
    _put(Flights, "along", lambda flights, place, *_more: flights.stop(place.document.uri, "superseded"))


def _without_debounce() -> None:
    _put(Rhythm, "wait_s", lambda _rhythm, **_state: 0.0)


def _without_rhythm() -> None:
    _put(Rhythm, "wait_s", lambda _rhythm, **_state: SHORTEST_S)


def _without_early() -> None:
    _put(Completer, "_early", _nothing)


def _without_ahead() -> None:
    _put(Ahead, "watch", _nothing)


def _without_anchors() -> None:
    _put(Anchors, "window", lambda _anchors, *arguments: select_window(*arguments))


def _without_lookahead() -> None:
    _put(PromptLookup, "draft", lambda _lookup: [])


def _without_lines() -> None:
    _put(plan, "as_one_line", lambda request, *_more: request)


def _without_elsewhere() -> None:
    _put(lines, "lines_elsewhere", lambda _place: [])


def _without_second_try() -> None:
    _put(GenerationRequest, "again", _nothing)


def _without_engine() -> None:
    _put(ik_llama, "runs_here", lambda: False)


PARTS: Mapping[str, Callable[[], None]] = {
    "cache": _without_cache,  # answers and what is left of them
    "flights": _without_flights,  # a generation goes on while it is typed
    "debounce": _without_debounce,  # no wait at all
    "rhythm": _without_rhythm,  # the same wait always
    "early": _without_early,  # the complete lines there are
    "ahead": _without_ahead,  # what comes after a suggestion, while it is looked at
    "anchors": _without_anchors,  # prompts that stay as they are
    "lookahead": _without_lookahead,  # drafts from the prompt
    "lines": _without_lines,  # other lines beside the likeliest tokens
    "elsewhere": _without_elsewhere,  # lines that the file has already
    "second_try": _without_second_try,  # another rest of a line where the likeliest comes to nothing
    "engine": _without_engine,  # llama.cpp itself in place of its fork for CPUs
}
"""By name, what takes it away."""


if __name__ == "__main__":
    for part in sys.argv[1:]:
        PARTS[part]()
    sys.argv[1:] = ["serve", "--stdio"]
    sys.exit(main())
