"""Places to complete, cut out of files; the same seed and files give the same ones."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, cycle
from operator import attrgetter
from pathlib import PurePosixPath
from typing import TypeVar
from urllib.parse import quote

from lsp_server.completion.document import Document, Snapshot
from lsp_server.evaluation.spots import bodies, code_lines, ends_statement

KINDS = {"rest of line": 25, "whole line": 15, "block": 10, "complete": 6}
"""The kinds of holes, and how many of 56 are of each."""
BLOCK_LINES = (2, 8)
"""The shortest and the longest body that is taken out whole."""
PREFERRED_LANGUAGE = "python"
"""Every other hole is cut into this language, where there is any of it."""

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Source:
    r"""A file to cut holes into.

    Attributes:
        group: what it is a part of, a package or a folder; holes are spread over groups.
        path: its path, ``/`` between the names.
        language: the LSP language identifier.
        text: all of it, ``\n`` line ends.
    """

    group: str
    path: str
    language: str
    text: str

    @property
    def family(self) -> str:
        """The language that it is counted with: JSX is JavaScript."""
        return self.language.removesuffix("react")


@dataclass(frozen=True)
class Hole:
    """What is taken out of a file, from ``start`` to ``end`` in code points, and asked for.

    Attributes:
        kind: one of ``KINDS``.
    """

    kind: str
    source: Source
    start: int
    end: int

    @property
    def before(self) -> str:
        """The text that stands before the cursor."""
        return self.source.text[: self.start]

    @property
    def truth(self) -> str:
        """What stood in the hole; empty where nothing is missing."""
        return self.source.text[self.start : self.end]

    @property
    def after(self) -> str:
        """The text that stands behind the cursor."""
        return self.source.text[self.end :]

    def place(self, folder: str) -> Snapshot:
        """The cursor in the file without what is missing; each folder is another document."""
        uri = f"file:///{quote(folder)}/{quote(PurePosixPath(self.source.path).name)}"
        return Document(uri, self.source.language, self.before + self.after).at_offset(self.start)


def choose(sources: Iterable[Source], samples: int, seed: int) -> list[Hole]:
    """About ``samples`` holes, fewer where the files have no room for them; no line is in two of them.

    They are spread over kinds, languages, groups and files; neighbours are of different files where there
    are several, so that no model finds one in its cache of the other.
    """
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    regions = _regions(sources, rng)
    holes: list[Hole] = []
    for kind, number in shares(samples).items():
        holes += _drawn(kind, number, regions, rng)
    return holes


def shares(samples: int) -> dict[str, int]:
    """How many of so many holes are of each kind; what rounding leaves over goes to the first kind."""
    numbers = {kind: samples * share // sum(KINDS.values()) for kind, share in KINDS.items()}
    first = next(iter(KINDS))
    numbers[first] += samples - sum(numbers.values())
    return numbers


_Region = deque[deque["_Field"]]
"""The files of one language, group by group; both take turns."""


def _regions(sources: Iterable[Source], rng: random.Random) -> dict[str, _Region]:
    found: dict[str, dict[str, list[_Field]]] = defaultdict(lambda: defaultdict(list))
    for source in _in_any_order(sorted(sources, key=attrgetter("family", "group", "path")), rng):
        found[source.family][source.group].append(_Field(source))
    return {
        language: deque(_in_any_order(map(deque, groups.values()), rng)) for language, groups in found.items()
    }


def _in_any_order(items: Iterable[_Item], rng: random.Random) -> list[_Item]:
    shuffled = list(items)
    rng.shuffle(shuffled)
    return shuffled


def _drawn(kind: str, number: int, regions: dict[str, _Region], rng: random.Random) -> Iterator[Hole]:
    """Holes of one kind, the languages taking turns until the number is reached or none has room left."""
    left = dict(regions)
    turns = _turns(regions)
    while number and left:
        language = next(turns)
        if language not in left:
            continue
        if (hole := _next_hole(kind, left[language], rng)) is None:
            del left[language]
            continue
        number -= 1
        yield hole


def _turns(languages: Collection[str]) -> Iterator[str]:
    """The languages over and over; the preferred one before each other."""
    others = [language for language in languages if language != PREFERRED_LANGUAGE]
    if PREFERRED_LANGUAGE not in languages or not others:
        return cycle(languages)
    return cycle(chain.from_iterable((PREFERRED_LANGUAGE, other) for other in others))


def _next_hole(kind: str, region: _Region, rng: random.Random) -> Hole | None:
    for _ in range(len(region)):
        region.rotate(-1)
        files = region[-1]
        for _ in range(len(files)):
            files.rotate(-1)
            if (hole := files[-1].hole(kind, rng)) is not None:
                return hole
    return None


class _Field:
    """One file, and which of its lines are still free."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._document = Document("", source.language, source.text)
        self._taken: set[int] = set()

    def hole(self, kind: str, rng: random.Random) -> Hole | None:
        """A hole in lines that no other hole is in; None where there is no room for one."""
        spots = [spot for spot in self._spots[kind] if self._taken.isdisjoint(spot)]
        if not spots:
            return None
        lines = rng.choice(spots)
        self._taken.update(lines)
        line, start = self._document.lines[lines[0]], self._document.line_starts[lines[0]]
        end = self._document.line_starts[lines[-1]] + len(self._document.lines[lines[-1]])
        indentation = len(line) - len(line.lstrip())
        columns = {"rest of line": rng.randrange(indentation, len(line.rstrip())), "complete": len(line)}
        return Hole(kind, self._source, start + columns.get(kind, indentation), end)

    @cached_property
    def _spots(self) -> dict[str, list[range]]:
        """For each kind, the lines that a hole may lie in."""
        code = code_lines(self._document)
        lines = [range(at, at + 1) for at in code]
        return {
            "rest of line": lines,
            "whole line": lines,
            "block": list(bodies(self._document, code, *BLOCK_LINES)),
            "complete": [spot for spot in lines if ends_statement(self._document, spot[0])],
        }
