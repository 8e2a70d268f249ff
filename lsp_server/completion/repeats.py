"""Whether a suggestion repeats other files of the workspace word for word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lsp_server.completion.text import has_word

LEAST_CHARACTERS = 50
MOST_REPEATS = 10
_BLOCK = LEAST_CHARACTERS // 2
"""Any stretch twice as long holds a block of the text that begins at a multiple of this."""
_MOST_PLACES = 100
"""Of one block in one file."""


@dataclass(frozen=True)
class Repeat:
    """A stretch of text that stands in another file as well.

    Attributes:
        path: of that file.
        line: 1-based line of it, where the stretch begins.
        characters: its length, without lines that hold no letter or digit.
    """

    path: str
    line: int
    characters: int


def longest_repeat(texts: Sequence[str], path: str, source: str) -> Repeat | None:
    """The longest stretch of one of the texts that a file holds too; None below ``LEAST_CHARACTERS``."""
    repeats = (
        Repeat(path, _line(source, start, end), characters)
        for text in texts
        for start, end in _stretches(text, source)
        if (characters := _telling(source[start:end])) >= LEAST_CHARACTERS
    )
    return max(repeats, key=lambda repeat: repeat.characters, default=None)


def by_length(repeats: Iterable[Repeat | None]) -> list[Repeat]:
    """The repeats, longest first, ``MOST_REPEATS`` at most."""
    found = sorted((repeat for repeat in repeats if repeat), key=lambda repeat: -repeat.characters)
    return found[:MOST_REPEATS]


def _stretches(text: str, source: str) -> Iterator[tuple[int, int]]:
    """Where the source holds stretches of the text, as long as they go: beginnings and ends in the source."""
    for at in range(0, len(text) - _BLOCK + 1, _BLOCK):
        for place in _places(text[at : at + _BLOCK], source):
            before = _common(text[:at][::-1], source[max(0, place - at) : place][::-1])
            after = _common(text[at:], source[place : place + len(text) - at])
            yield place - before, place + after


def _places(block: str, source: str) -> Iterator[int]:
    place = -1
    for _ in range(_MOST_PLACES):
        place = source.find(block, place + 1)
        if place < 0:
            return
        yield place


def _common(one: str, other: str) -> int:
    """How many characters two texts begin alike with."""
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _telling(stretch: str) -> int:
    """The characters of a stretch, without lines that hold no letter or digit."""
    return sum(len(line) for line in stretch.splitlines(keepends=True) if has_word(line))


def _line(source: str, start: int, end: int) -> int:
    stretch = source[start:end]
    return source.count("\n", 0, start + len(stretch) - len(stretch.lstrip())) + 1
