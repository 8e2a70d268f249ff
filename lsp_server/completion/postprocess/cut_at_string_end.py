"""Cut a middle where it ends a triple-quoted string that the file ends itself."""

from __future__ import annotations

from dataclasses import replace

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import Drop, FilterContext

_QUOTES = ('"""', "'''")


def cut_at_string_end(suggestion: Suggestion, context: FilterContext) -> Suggestion | Drop:
    """What is written of the string alone; the quotes that end it, and what comes then, stand there."""
    before, after = context.snapshot.prefix, context.snapshot.suffix
    for quotes in _QUOTES:
        inside = before.count(quotes) % 2 and after.count(quotes) % 2
        if inside and quotes in suggestion.text:
            text = suggestion.text.partition(quotes)[0]
            return replace(suggestion, text=text if context.snapshot.line_suffix.strip() else text.rstrip())
    return suggestion
