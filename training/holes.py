"""Holes: what a lesson takes out of a file, chosen as one would stop typing there."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lsp_server.completion.document import Document
from lsp_server.evaluation.spots import bodies

MAX_BLOCK_LINES = 8

_COMMENT = re.compile(r"\s*(#|//|/\*|\*|--|\"\"\"|''')")
_PAIRS = {"(": ")", "[": "]", "{": "}", '"': '"', "'": "'"}
_BOUNDARY = re.compile(r"(?<=[\s(\[{.,=:\"'])(?=\S)")


@dataclass(frozen=True)
class Hole:
    """What is taken out of a text: from ``start`` to ``end``, in code points."""

    start: int
    end: int


def _line(document: Document, rng: random.Random) -> int | None:
    """A line with something on it, below what a file says of itself at its top; seldom a comment."""
    lines = document.lines
    first = next((at for at, line in enumerate(lines) if line.strip() and not _COMMENT.match(line)), 0)
    at = rng.randrange(first, len(lines))
    is_prose = _COMMENT.match(lines[at]) or document.text[: document.line_starts[at]].count('"""') % 2
    if not lines[at].strip() or (is_prose and rng.random() < 0.75):
        return None
    return at


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _cut(line: str, rng: random.Random) -> int:
    """A column where one might stop typing: at the indentation, between words, or anywhere."""
    indentation, end = _indentation(line), len(line.rstrip())
    chance = rng.random()
    if chance < 0.25:
        return indentation
    boundaries = [found.start() for found in _BOUNDARY.finditer(line, indentation, end)]
    if boundaries and chance < 0.65:
        return rng.choice(boundaries)
    return rng.randrange(indentation, end)


def rest_of_line(document: Document, rng: random.Random) -> Hole | None:
    """From somewhere in a line to its end."""
    if (at := _line(document, rng)) is None:
        return None
    line, start = document.lines[at], document.line_starts[at]
    return Hole(start + _cut(line, rng), start + len(line.rstrip()))


def inside(document: Document, rng: random.Random) -> Hole | None:
    """The inside of brackets or of a string on one line, whole or its end."""
    if (at := _line(document, rng)) is None:
        return None
    line, start = document.lines[at], document.line_starts[at]
    pairs = [(begin + 1, end) for begin in range(len(line)) if (end := _closing(line, begin)) > begin + 1]
    if not pairs:
        return None
    begin, end = rng.choice(pairs)
    if rng.random() < 0.4:
        begin = rng.randrange(begin, end)
    return Hole(start + begin, start + end)


def _closing(line: str, begin: int) -> int:
    """Index of what closes the bracket or quote at ``begin``; 0 if nothing does on this line."""
    opening = line[begin]
    closing = _PAIRS.get(opening)
    depth = 0
    for at in range(begin + 1, len(line)) if closing else ():
        if line[at] == closing and depth == 0:
            return at
        depth += (line[at] == opening) - (line[at] == closing)
    return 0


def whole_line(document: Document, rng: random.Random) -> Hole | None:
    """A line, from its indentation or from the end of the line before."""
    if (at := _line(document, rng)) is None:
        return None
    return Hole(_start(document, at, rng), document.line_starts[at] + len(document.lines[at].rstrip()))


def _start(document: Document, at: int, rng: random.Random) -> int:
    """Where a hole of whole lines begins: at the indentation that is typed, or at the line end before."""
    line = document.lines[at]
    if at and document.lines[at - 1].strip() and rng.random() < 0.4:
        return document.line_starts[at] - 1
    return document.line_starts[at] + _indentation(line)


def block(document: Document, rng: random.Random) -> Hole | None:
    """A few lines that belong together: up to a place where the indentation is back, or the block ends."""
    if (at := _line(document, rng)) is None:
        return None
    ends = list(_ends(document, at))
    if not ends:
        return None
    last = rng.choice(ends)
    line = document.lines[at]
    start = _start(document, at, rng)
    if rng.random() < 0.3:
        start = document.line_starts[at] + _cut(line, rng)
    return Hole(start, document.line_starts[last] + len(document.lines[last].rstrip()))


def _ends(document: Document, at: int) -> Iterator[int]:
    """Lines after ``at`` that end a statement of its block, at most as many as a block may have."""
    lines = document.lines
    depth = _indentation(lines[at])
    for last in range(at + 1, min(at + MAX_BLOCK_LINES, len(lines) - 1)):
        if lines[last].strip() and _indentation(lines[last]) < depth:
            return
        following = lines[last + 1]
        if lines[last].strip() and (not following.strip() or _indentation(following) <= depth):
            yield last


def body(document: Document, rng: random.Random) -> Hole | None:
    """All that stands in a block, below the line that opens it."""
    if (at := _line(document, rng)) is None:
        return None
    body = next(bodies(document, [at], 1, MAX_BLOCK_LINES), None)
    if body is None:
        return None
    last = body[-1]
    return Hole(_start(document, at, rng), document.line_starts[last] + len(document.lines[last].rstrip()))


def span(document: Document, rng: random.Random) -> Hole | None:
    """Any characters, up to about three lines."""
    if (at := _line(document, rng)) is None:
        return None
    start = document.line_starts[at] + _cut(document.lines[at], rng)
    return Hole(start, min(len(document.text), start + rng.randint(1, 120)))


def empty(document: Document, rng: random.Random) -> Hole | None:
    """Nothing: the end of a line, or just before a closing bracket."""
    if (at := _line(document, rng)) is None:
        return None
    line, start = document.lines[at].rstrip(), document.line_starts[at]
    places = [len(line), *(place for place, character in enumerate(line) if character in ")]}" and place)]
    place = start + rng.choice(places)
    return Hole(place, place)


def end_of_file(document: Document, rng: random.Random) -> Hole | None:
    """What is being written at the end of a file: the rest of a line or of a block."""
    return (rest_of_line if rng.random() < 0.4 else block)(document, rng)


HOLES: dict[str, Callable[[Document, random.Random], Hole | None]] = {
    "rest": rest_of_line,
    "inside": inside,
    "line": whole_line,
    "block": block,
    "body": body,
    "span": span,
    "empty": empty,
    "end": end_of_file,
}
"""How a hole of each kind is found; None where a place gives none."""
