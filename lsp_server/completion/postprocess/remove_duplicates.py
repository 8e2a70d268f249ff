"""Remove suggestions that say the same; a step over all candidates, after the filters."""

from __future__ import annotations

from collections.abc import Iterable

from lsp_server.completion.item import Suggestion


def remove_duplicates(suggestions: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """The first suggestion of each text, in order."""
    first: dict[str, Suggestion] = {}
    for suggestion in suggestions:
        first.setdefault(suggestion.text, suggestion)
    return tuple(first.values())
