"""Drop a middle that would change nothing: the file has it at the cursor."""

from __future__ import annotations

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import Drop, FilterContext


def drop_already_typed(suggestion: Suggestion, context: FilterContext) -> Suggestion | Drop:
    """Drop a text that only replaces itself, or that stands in whole lines right after the cursor."""
    text = suggestion.text.rstrip()
    source, offset = context.snapshot.document.text, context.snapshot.offset
    end = offset + len(text)
    same = suggestion.replaces > 0 and suggestion.text == source[offset : offset + suggestion.replaces]
    stands = source.startswith(text, offset) and source[end : end + 1] in ("", "\n")
    return Drop(drop_already_typed.__name__) if text and (same or stands) else suggestion
