"""Cut a middle where a model begins to stammer."""

from __future__ import annotations

from dataclasses import replace

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import Drop, FilterContext
from lsp_server.completion.text import stammers


def cut_at_stammer(suggestion: Suggestion, context: FilterContext) -> Suggestion | Drop:
    """Keep the lines before one in which a name says a word twice in a row, unless the file has it."""
    lines = suggestion.text.split("\n")
    for at, line in enumerate(lines):
        if stammers(line, context.snapshot.document):
            kept = "\n".join(lines[:at])
            return replace(suggestion, text=kept) if kept.strip() else Drop(cut_at_stammer.__name__)
    return suggestion
