"""Drop a middle that would change nothing: the file has it at the cursor."""

from __future__ import annotations

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import Drop, FilterContext


def drop_already_typed(suggestion: Suggestion, context: FilterContext) -> Suggestion | Drop:
    """Drop a text that only replaces itself, or that stands in whole lines right after the cursor."""
    text = suggestion.text.rstrip()
    after = context.snapshot.suffix
    same = suggestion.replaces > 0 and suggestion.text == after[: suggestion.replaces]
    stands = after.startswith(text) and after[len(text) : len(text) + 1] in ("", "\n")
    return Drop(drop_already_typed.__name__) if text and (same or stands) else suggestion
