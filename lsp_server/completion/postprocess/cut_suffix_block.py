"""Cut a middle where it begins to say again what follows in the file."""

from __future__ import annotations

from dataclasses import replace

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import FilterContext
from lsp_server.completion.text import (
    has_word,
    indentation_width,
    is_closing_line,
    is_nearly_line,
    lines_below,
)


def cut_suffix_block(suggestion: Suggestion, context: FilterContext) -> Suggestion:
    """Cut from the last line that is the next line of the file, or nearly; an unfinished one may begin it."""
    below = lines_below(context.snapshot, 1)
    lines = suggestion.text.split("\n")
    if not below or is_closing_line(below[0]):
        return suggestion
    for at in range(len(lines) - 1, 0, -1):
        if _is_again(lines[at].rstrip(), below[0], is_last=at == len(lines) - 1):
            return replace(suggestion, text="\n".join(lines[:at]).rstrip())
    return suggestion


def _is_again(line: str, below: str, *, is_last: bool) -> bool:
    if not has_word(line) or indentation_width(line) > indentation_width(below):
        return False
    return line == below or (is_last and below.startswith(line)) or is_nearly_line(line, below)
