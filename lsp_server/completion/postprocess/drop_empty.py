"""Drop a middle in which there is nothing to see."""

from __future__ import annotations

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import Drop, FilterContext
from lsp_server.completion.text import has_word

_COMPLETING = frozenset(")]}>;:,\"'`")


def drop_empty(suggestion: Suggestion, _context: FilterContext) -> Suggestion | Drop:
    """Drop white space, and a single mark that completes nothing, as a lone ``(`` or ``=``."""
    text = suggestion.text.strip()
    if len(text) > 1 or has_word(text) or text in _COMPLETING:
        return suggestion
    return Drop(drop_empty.__name__)
