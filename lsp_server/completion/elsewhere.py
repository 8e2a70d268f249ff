"""Lines of the file that stand between the same lines as the cursor does, and those that it says twice.

A file says things more than once: in each arm of a ``match``, in each test, for each class that it registers.
Where the lines beside the cursor stand elsewhere as well, the line between them there may be the one that is
missing here. Most of those stand outside the window that a model reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import compress, takewhile
from typing import NamedTuple

from lsp_server.completion.document import Snapshot
from lsp_server.completion.text import has_word, non_blank

MOST_LINES = 4
_NEIGHBOURS = 3
"""So many lines above and below are compared."""
_REACH = 50_000
"""Characters above and below that are looked through: what is typed may cost no more the longer a file is."""


class LineElsewhere(NamedTuple):
    """A line of the file that may be what is missing at the cursor, too.

    Attributes:
        text: what of it does not stand at the cursor yet.
        agreeing: how many of the lines above and below it, one behind the other, the cursor has, too.
    """

    text: str
    agreeing: int


def lines_elsewhere(snapshot: Snapshot) -> list[LineElsewhere]:
    """What stands between the same lines, and begins and ends like the cursor line.

    For a whole line also what the file says twice, whatever stands beside it. Where more lines agree comes
    first, then what is nearer. Blank lines count for nothing.
    """
    before, after = snapshot.line_prefix, snapshot.line_suffix.rstrip()
    above, below = _near(snapshot)
    lines, cursor = [*above, "", *below], len(above)
    places = _beside_the_same(lines, cursor)
    if not before.strip():
        beside = lines[max(0, cursor - 1) : cursor + 2]
        places |= {place for place in _said_twice(lines, before) if lines[place] not in beside}
    found = [
        (-_agreeing(lines, place, cursor), abs(place - cursor), text)
        for place in places
        if (text := _between(before, lines[place], after))
        if before.strip() or not text[0].isspace()  # it may not be indented deeper
    ]
    most = dict[str, int]()
    for agreeing, _, text in sorted(found):
        most.setdefault(text, -agreeing)
    return [LineElsewhere(text, agreeing) for text, agreeing in most.items()][:MOST_LINES]


def _between(before: str, line: str, after: str) -> str:
    """What of a line is missing between its beginning and its end; empty if it does not have them."""
    is_such = line.startswith(before) and line.endswith(after)
    return line[len(before) : len(line) - len(after)] if is_such else ""


def _near(snapshot: Snapshot) -> tuple[list[str], list[str]]:
    """The lines above and below, as far as they are looked through, that hold more than white space."""
    text, start, end = snapshot.document.text, snapshot.line_start, snapshot.line_end + 1
    first = text.rfind("\n", 0, max(0, start - _REACH)) + 1
    last = text.find("\n", end + _REACH)
    above, below = text[first:start], text[end : len(text) if last < 0 else last]
    return non_blank(above.split("\n")), non_blank(below.split("\n"))


def _beside_the_same(lines: Sequence[str], cursor: int) -> set[int]:
    """Where a line stands behind the line above the cursor, or before the one below."""
    above, below = lines[max(0, cursor - 1) : cursor], lines[cursor + 1 : cursor + 2]
    behind = {place + 1 for place, line in enumerate(lines[:-1]) if line in above}
    before = {place for place, line in enumerate(lines[1:]) if line in below}
    return (behind | before) - {cursor}


def _said_twice(lines: Sequence[str], indentation: str) -> set[int]:
    """Where a line stands that has a word, is indented so, and comes more than once."""
    at = len(indentation)
    such = [line.startswith(indentation) and not line[at : at + 1].isspace() for line in lines]
    times = Counter(compress(lines, such))
    return {place for place, line in enumerate(lines) if such[place] and times[line] > 1 and has_word(line)}


def _agreeing(lines: Sequence[str], one: int, other: int) -> int:
    """How many lines above and below two places are the same, one behind the other."""
    above = _common(*(lines[max(0, place - _NEIGHBOURS) : place][::-1] for place in (one, other)))
    below = _common(*(lines[place + 1 : place + 1 + _NEIGHBOURS] for place in (one, other)))
    return above + below


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two runs of lines begin with alike."""
    alike = (line == another for line, another in zip(one, other, strict=False))
    return sum(takewhile(bool, alike))
