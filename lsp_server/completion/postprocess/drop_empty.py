"""Drop a middle in which there is nothing to see."""

from __future__ import annotations

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import Drop, FilterContext
from lsp_server.completion.text import has_word, is_above_body

_COMPLETING = frozenset(")]}>;:,\"'`")
_BEGINNING = frozenset("([{")


def drop_empty(suggestion: Suggestion, context: FilterContext) -> Suggestion | Drop:
    """Drop white space, and a single mark that completes nothing: ``=``, or a ``{`` without a body below."""
    text = suggestion.text.strip()
    if len(text) > 1 or has_word(text) or text in _COMPLETING:
        return suggestion
    if text in _BEGINNING and is_above_body(context.snapshot):
        return suggestion
    return Drop(drop_empty.__name__)
