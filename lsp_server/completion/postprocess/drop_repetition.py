"""Drop a middle that has fallen into a loop."""

from __future__ import annotations

from itertools import pairwise

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import Drop, FilterContext
from lsp_server.completion.text import is_nearly_line, non_blank, written_lines

_LINES_ALIKE = 5
_ROUNDS = 3
_ROUNDS_OF_LENGTH = ((3, 10, 6), (10, 20, 4), (20, 80, 3))
"""A piece of (at least, less than) so many characters counts as a loop after so many rounds."""


def drop_repetition(suggestion: Suggestion, context: FilterContext) -> Suggestion | Drop:
    """Drop when the end goes round: within a line, in near-identical lines, or in blocks of lines."""
    lines = non_blank(written_lines(suggestion.text, context.snapshot))
    if lines and (_loops(lines[-1]) or _has_lines_alike(lines) or _has_rounds(lines)):
        return Drop(drop_repetition.__name__)
    return suggestion


def _loops(line: str) -> bool:
    """Whether a line ends in rounds of the same piece; rulers and rows of zeros are not loops."""
    for least, most, rounds in _ROUNDS_OF_LENGTH:
        for length in range(least, most):
            end = line[1 - length * rounds :]  # one short: the last blank is trimmed
            is_long_enough = len(end) == length * rounds - 1
            if is_long_enough and end[length:] == end[:-length] and any(map(str.isalpha, end)):
                return True
    return False


def _has_lines_alike(lines: list[str]) -> bool:
    """Whether five lines in a row hardly differ from one to the next."""
    in_a_row = 1
    for one, other in pairwise(lines):
        in_a_row = in_a_row + 1 if is_nearly_line(one, other) else 1
        if in_a_row == _LINES_ALIKE:
            return True
    return False


def _has_rounds(lines: list[str]) -> bool:
    """Whether the text ends in three rounds of the same two or more lines."""
    return any(
        lines[-_ROUNDS * size :] == lines[-size:] * _ROUNDS for size in range(2, len(lines) // _ROUNDS + 1)
    )
