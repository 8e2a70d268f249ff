"""Our server without some of what makes it fast: python benchmarks/without.py PART… ; see ``PARTS``.

What a part brings is measured by leaving it out. Users have no use for that, so it is done here and not by
settings.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from lsp_server.backends import ik_llama
from lsp_server.backends.lookahead import PromptLookup
from lsp_server.cli import main
from lsp_server.completer import Completer
from lsp_server.completion.anchor import Anchors
from lsp_server.completion.cache import CompletionCache
from lsp_server.completion.context import select_window
from lsp_server.completion.rhythm import SHORTEST_S, Rhythm
from lsp_server.engine import plan
from lsp_server.engine.ahead import Ahead
from lsp_server.engine.flights import Flights


def _nothing(*_arguments: Any, **_more: Any) -> None:
    return None


def _without_cache() -> None:
    CompletionCache.find = _nothing


def _without_flights() -> None:
    Flights.along = lambda flights, place, *_more: flights.stop(place.document.uri, "superseded")


def _without_debounce() -> None:
    Rhythm.wait_s = lambda _rhythm, **_state: 0.0


def _without_rhythm() -> None:
    Rhythm.wait_s = lambda _rhythm, **_state: SHORTEST_S


def _without_early() -> None:
    Completer._early = _nothing  # noqa: SLF001  only for this is it to be switched off


def _without_ahead() -> None:
    Ahead.watch = _nothing


def _without_anchors() -> None:
    Anchors.window = lambda _anchors, *arguments: select_window(*arguments)


def _without_lookahead() -> None:
    PromptLookup.draft = lambda _lookup: []


def _without_lines() -> None:
    plan._one_line = _nothing  # noqa: SLF001  only for this is it to be switched off


def _without_elsewhere() -> None:
    plan.lines_elsewhere = lambda _place: []


def _without_engine() -> None:
    ik_llama.runs_here = lambda: False


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
    "engine": _without_engine,  # llama.cpp itself in place of its fork for CPUs
}
"""By name, what takes it away."""


if __name__ == "__main__":
    for part in sys.argv[1:]:
        PARTS[part]()
    sys.argv[1:] = ["serve", "--stdio"]
    sys.exit(main())
