"""Cut a middle where it begins to say again what follows in the file."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import FilterContext
from lsp_server.completion.text import (
    has_word,
    indentation_width,
    is_nearly_line,
    lines_below,
    only_closes,
)

_MOST_CLOSING = 3
"""Lines that close something, one behind the other."""


def cut_suffix_block(suggestion: Suggestion, context: FilterContext) -> Suggestion:
    """Cut from the last line that is the next line of the file, or nearly; an unfinished one may begin it.

    Where the file goes on by closing something, the line behind that must be the same, too.
    """
    closing = list(takewhile(only_closes, lines_below(context.snapshot, _MOST_CLOSING)))
    below = lines_below(context.snapshot, len(closing) + 1)[len(closing) :]
    lines = suggestion.text.split("\n")
    # The first line is that of the cursor.
    numbers = [at for at, line in enumerate(lines) if at and line.strip()] if below else []
    written = [lines[at].rstrip() for at in numbers]
    for end in range(len(written) - 1, len(closing) - 1, -1):
        begin, is_last = end - len(closing), numbers[end] == len(lines) - 1
        if written[begin:end] == closing and _is_again(written[end], below[0], is_last=is_last):
            return replace(suggestion, text="\n".join(lines[: numbers[begin]]).rstrip())
    return suggestion


def _is_again(line: str, below: str, *, is_last: bool) -> bool:
    if not has_word(line) or indentation_width(line) > indentation_width(below):
        return False
    return line == below or (is_last and below.startswith(line)) or is_nearly_line(line, below)
