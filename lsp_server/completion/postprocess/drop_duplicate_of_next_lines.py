"""Drop a middle that is what the file goes on with anyway."""

from __future__ import annotations

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import Drop, FilterContext
from lsp_server.completion.text import lines_below, non_blank, written_lines


def drop_duplicate_of_next_lines(suggestion: Suggestion, context: FilterContext) -> Suggestion | Drop:
    """Drop lines equal to the next ones of the file; of several, the last may be the beginning of one."""
    written = non_blank(written_lines(suggestion.text, context.snapshot))
    below = lines_below(context.snapshot, len(written))
    if not written or len(below) < len(written):
        return suggestion
    *whole, last = written
    begins = below[-1].startswith(last) if whole else below[-1] == last
    return Drop(drop_duplicate_of_next_lines.__name__) if below[:-1] == whole and begins else suggestion
