"""A long text of which an edit copies only what is near it.

It can be asked what is asked of a string, as far as that is done with documents, and what is asked for near
the last edits costs no more than in a short text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

NEAR_CHARACTERS = 16_384
"""What is copied on each side of an edit; a text that is not longer than a few of these is one string."""
LONG_CHARACTERS = 4 * NEAR_CHARACTERS

_Find = Callable[[str, str, int, int], int]


class Rope:
    """Three strings, one after the other; the edits are in the middle one.

    Args:
        head: what stands before all edits.
        middle: what is made anew with each edit.
        tail: what stands behind them.
    """

    __slots__ = ("_length", "head", "middle", "tail")

    def __init__(self, head: str, middle: str, tail: str) -> None:
        self.head, self.middle, self.tail = head, middle, tail
        self._length = len(head) + len(middle) + len(tail)

    def __str__(self) -> str:
        return f"{self.head}{self.middle}{self.tail}"

    def __repr__(self) -> str:
        return f"Rope of {self._length} characters"

    def __len__(self) -> int:
        return self._length

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, Rope | str) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))

    def __getitem__(self, part: slice) -> str:
        start, end, _ = part.indices(self._length)
        begin = len(self.head)
        if begin <= start and end <= begin + len(self.middle):
            return self.middle[start - begin : max(end - begin, 0)]
        return "".join(piece[max(start - at, 0) : max(end - at, 0)] for at, piece in self._pieces())

    def startswith(self, what: str, start: int = 0) -> bool:
        """As of a string."""
        return start <= self._length and self[start : start + len(what)] == what

    def find(self, what: str, start: int = 0, end: int | None = None) -> int:
        """As of a string; ``start`` and ``end`` are not negative."""
        return self._found(str.find, what, self._searched(what), start, end)

    def rfind(self, what: str, start: int = 0, end: int | None = None) -> int:
        """As of a string; ``start`` and ``end`` are not negative."""
        return self._found(str.rfind, what, reversed(self._searched(what)), start, end)

    def _found(
        self, find: _Find, what: str, pieces: Iterable[tuple[int, str]], start: int, end: int | None
    ) -> int:
        end = self._length if end is None else min(end, self._length)
        for at, piece in pieces:
            found = find(piece, what, max(start - at, 0), end - at) if at <= end else -1
            if found >= 0:
                return at + found
        return -1

    def _searched(self, what: str) -> list[tuple[int, str]]:
        """The pieces, and what of two of them a text may lie in."""
        first, *others = self._pieces()
        reach, pieces = len(what) - 1, [first]
        for at, piece in others:
            if reach > 0:
                seam = max(at - reach, 0)
                pieces.append((seam, self[seam : at + reach]))
            pieces.append((at, piece))
        return pieces

    def isspace(self) -> bool:
        """As of a string."""
        return all(piece.isspace() for _, piece in self._pieces() if piece)

    def _pieces(self) -> tuple[tuple[int, str], ...]:
        """Each with where it begins."""
        begin = len(self.head)
        return (0, self.head), (begin, self.middle), (begin + len(self.middle), self.tail)


Text = str | Rope


def edited(text: Text, start: int, end: int, new: str) -> Text:
    """The text with another part in place of what stands from ``start`` to ``end``."""
    if len(text) < LONG_CHARACTERS:
        return f"{text[:start]}{new}{text[end:]}"
    if isinstance(text, Rope):
        begin = len(text.head)
        is_inside = begin <= start and end <= begin + len(text.middle)
        if is_inside and len(text.middle) + len(new) < LONG_CHARACTERS:
            middle = f"{text.middle[: start - begin]}{new}{text.middle[end - begin :]}"
            return Rope(text.head, middle, text.tail)
    near, beyond = max(start - NEAR_CHARACTERS, 0), end + NEAR_CHARACTERS
    return Rope(text[:near], f"{text[near:start]}{new}{text[end:beyond]}", text[beyond:])


def typed_between(before: Text, after: Text, offset: int) -> str | None:
    """What was put into ``before`` at an offset to make ``after`` of it; None if that is not all."""
    if isinstance(before, Rope) and isinstance(after, Rope):
        inside = offset - len(before.head)
        if before.head is after.head and before.tail is after.tail and 0 <= inside <= len(before.middle):
            return typed_between(before.middle, after.middle, inside)
    end = offset + len(after) - len(before)
    if end < offset or after[:offset] != before[:offset] or after[end:] != before[offset:]:
        return None
    return after[offset:end]
