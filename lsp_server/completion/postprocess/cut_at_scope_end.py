"""Cut a middle where it leaves the block that the cursor is in."""

from __future__ import annotations

from dataclasses import replace

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import FilterContext
from lsp_server.completion.scope import Scope


def cut_at_scope_end(suggestion: Suggestion, context: FilterContext) -> Suggestion:
    """Keep the lines up to the first that belongs to another block, by indentation."""
    lines = suggestion.text.split("\n")
    scope = Scope(context.snapshot, lines[0])
    for at, line in enumerate(lines[1:], start=1):
        if not scope.admits(line):
            return replace(suggestion, text="\n".join(lines[:at]).rstrip())
        scope.take(line)
    return suggestion
