"""Lines of the file that may be what is missing, weighed by what the model says of them.

A line is read in one pass, with what follows it, in the time that it takes to write two or three tokens. One
that is likely enough is taken at once, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING

from lsp_server.backends.line_reading import Line, LineReading

if TYPE_CHECKING:
    from lsp_server.backends.sampling import Scores

LEAST_START = -6.0
"""A line that begins with a token less likely is not read; ln p."""
ENOUGH = -1.0
"""The weight of a line that is taken at once; ln p."""


def possible_lines(
    known: Iterable[tuple[list[int], int]], likely: Scores, reading: LineReading
) -> list[Line]:
    """The lines that may be, those first that begin with what is likeliest; nothing is read.

    Args:
        known: their tokens, and how many lines agree beside each.
        likely: how likely each token is to be its first one; ln p.
        reading: the model, and what the line is to be.
    """
    lines = [Line(tokens, float(likely[tokens[0]]), agreeing=agreeing) for tokens, agreeing in known]
    lines.sort(key=lambda line: line.weight, reverse=True)
    return [line for line in lines if line.likelihood >= LEAST_START and reading.wish.is_shown(line.tokens)]


def sure_line(lines: Iterable[Line], reading: LineReading) -> Generator[str, None, Line | None]:
    """The first line that is likely enough to be taken at once, None if none is.

    Those that could not be are not read. Yields an empty piece behind each pass, where it may be left.

    Raises:
        BackendError: the model failed.
    """
    for line in lines:
        if line.weight < ENOUGH:  # and no likelier with what comes behind its first token
            break
        yield from reading.complete(line)
        if line.weight >= ENOUGH:
            return line
    return None
