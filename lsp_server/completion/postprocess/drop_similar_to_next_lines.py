"""Drop a middle that says what the next lines of the file say, a character or two apart."""

from __future__ import annotations

import re

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import Drop, FilterContext
from lsp_server.completion.text import (
    has_word,
    indentation_width,
    is_nearly_line,
    lines_below,
    non_blank,
    within_distance,
    written_lines,
)

_LINES = 3
_LONGEST = 1000
"""Characters up to which lines are compared: the work grows with the square."""
_NUMBER = re.compile(r"\d+")


def drop_similar_to_next_lines(suggestion: Suggestion, context: FilterContext) -> Suggestion | Drop:
    """Drop when the first lines, three at most, are within 5 % of the characters of the next ones."""
    written = non_blank(written_lines(suggestion.text, context.snapshot))[:_LINES]
    below = lines_below(context.snapshot, len(written))
    if len(below) == len(written) and _is_similar(written, below):
        return Drop(drop_similar_to_next_lines.__name__)
    return suggestion


def _is_similar(written: list[str], below: list[str]) -> bool:
    """Whether the lines are near enough; blocks that differ in their numbers are what people write."""
    if len(written) == 1:
        return is_nearly_line(written[0], below[0])
    one, other = "\n".join(written), "\n".join(below)
    if len(one) > _LONGEST or not has_word(one) or indentation_width(one) != indentation_width(other):
        return False
    return _NUMBER.findall(one) == _NUMBER.findall(other) and within_distance(one, other, len(other) // 20)
