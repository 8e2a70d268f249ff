"""Drop lines that a model repeats over and over, and all that follows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import Drop, FilterContext

_SHORTEST_ROUND = 2
"""Lines."""


def drop_repeated_lines(suggestion: Suggestion, context: FilterContext) -> Suggestion | Drop:
    """Cut before the first of three identical lines in a row, and after several lines that come once more.

    Of one line two are left, for people write them.
    """
    first, *rest = suggestion.text.split("\n")
    lines = [context.snapshot.line_prefix + first, *rest]
    numbers = [at for at, line in enumerate(lines) if line.strip()]
    written = [lines[at] for at in numbers]
    for at in range(len(written)):
        end = at if written[at : at + 3] == written[at : at + 1] * 3 else _end_of_first_round(written, at)
        if end is not None:
            kept = "\n".join([first, *rest][: numbers[end]]).rstrip("\n")
            return replace(suggestion, text=kept) if kept.strip() else Drop(drop_repeated_lines.__name__)
    return suggestion


def _end_of_first_round(lines: Sequence[str], at: int) -> int | None:
    """Where two or more lines from here on come again at once; None if they do not."""
    for size in range(_SHORTEST_ROUND, (len(lines) - at) // 2 + 1):
        if lines[at : at + size] == lines[at + size : at + 2 * size]:
            return at + size
    return None
