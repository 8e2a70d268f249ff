"""One line in the best of several ways to write it.

The likeliest token, taken over and over, makes neither the likeliest line nor always one that leads to what
stands behind the cursor. So other ways are tried behind it: those that begin with another token, and those
that leave the likeliest line where the model is least sure of it. Of the likeliest few the one is taken that
is likeliest together with the first tokens of what follows.

A way is given up as soon as it is clearly less likely than a line that is complete: where the model is sure,
nothing is written but the line itself.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lsp_server.backends.base import PREFILL_PIECE_TOKENS
from lsp_server.backends.sampling import log_likelihoods, log_sum, two_likeliest

if TYPE_CHECKING:
    from lsp_server.backends.healing import Vocabulary
    from lsp_server.backends.sampling import Scores

MOST_STARTS = 4
"""So many tokens may be the first one."""
LEAST_START = -6.0
"""Less likely ones are not tried; ln p."""
MOST_DOUBTS = 2
"""In so many places the likeliest line is left."""
WITHIN = 2.0
"""How much less likely than the likeliest a line may be; ln p."""
MOST_COMPARED = 3
"""So many lines are asked what follows them."""

Passes = Generator[str, None, None]
"""Yields an empty piece behind each pass through the model, where it may be left."""


class LineReader(Protocol):
    """A model that remembers what it has read."""

    def rewind(self, ids: Sequence[int]) -> int:
        """Keep what ``ids`` begins with; how many tokens that is, never all of them."""
        ...

    def read_each(self, ids: Sequence[int]) -> Sequence[Scores]:
        """Read further tokens; for each the scores of the one behind it.

        Raises:
            BackendError: the model failed.
        """
        ...


class _Place(NamedTuple):
    """What is likely at a place in a line, beside the token that was taken there.

    Attributes:
        gap: by how much the second token is less likely than the first; ln p.
        length: of the line up to here, in tokens.
        second: the other token.
        likelihood: of the line up to here and with the second token; ln p.
        end: of the line if it ends here; ln p.
        followed: how likely the first token of what follows is here; ln p.
    """

    gap: float
    length: int
    second: int
    likelihood: float
    end: float
    followed: float


@dataclass(eq=False)
class Line:
    """A line that is being written.

    Attributes:
        tokens: what is written of it.
        likelihood: of those, and of its end if it is complete; ln p.
        is_complete: whether it ended by itself.
        followed: how likely what follows is behind it, as far as that was read; ln p.
        places: where it could have gone another way.
    """

    tokens: list[int]
    likelihood: float
    is_complete: bool = False
    followed: float = 0.0
    places: list[_Place] = field(default_factory=list)


Start = tuple[int, float]
"""A token that a line may begin with, and how likely it is; ln p."""


@dataclass(frozen=True)
class Wish:
    """What a line is to be.

    Attributes:
        following: the first tokens of what stands behind the cursor.
        is_shown: whether what it spells would be shown.
        most_tokens: the longest line.
    """

    following: Sequence[int]
    is_shown: Callable[[bytes], bool]
    most_tokens: int


class LineSearch:
    """Writes one line in several ways.

    Args:
        reader: the model.
        before: what it has read.
        vocabulary: what tokens spell.
        stops: tokens that end a text.
        wish: what the line is to be.

    Attributes:
        written: how many tokens were, those of other lines among them.
    """

    def __init__(
        self,
        reader: LineReader,
        before: Sequence[int],
        vocabulary: Vocabulary,
        *,
        stops: frozenset[int],
        wish: Wish,
    ) -> None:
        self._reader = reader
        self._before = before
        self._vocabulary = vocabulary
        self._stops = sorted(stops)
        self._wish = wish
        self._read: list[int] = []
        self._complete: list[Line] = []
        self.written = 0

    def best(self, starts: Sequence[Start]) -> Generator[str, None, Line]:
        """The line to show; yields an empty piece behind each pass, where it may be left.

        Args:
            starts: what may begin it, the likeliest first.

        Raises:
            BackendError: the model failed.
        """
        plain, *others = (Line([token], likelihood) for token, likelihood in starts)
        yield from self._write(plain)
        if not plain.is_complete:
            return plain
        for line in others:
            if line.likelihood >= LEAST_START:
                yield from self._write(line)
        likeliest = max(self._complete, key=_likelihood)
        for place in nsmallest(MOST_DOUBTS, likeliest.places):
            yield from self._turn(likeliest, place)
        return (yield from self._compared())

    def spelled(self, tokens: Sequence[int]) -> bytes:
        """What tokens spell together."""
        return b"".join(map(self._vocabulary.piece, tokens))

    def _turn(self, line: Line, place: _Place) -> Passes:
        """Write the line that takes the second token at a place, or ends there."""
        before = line.tokens[: place.length]
        if self._ends(before, place.second):
            self._complete.append(Line(before, place.end, is_complete=True, followed=place.followed))
        else:
            yield from self._write(Line([*before, place.second], place.likelihood))

    def _write(self, line: Line) -> Passes:
        """Write a line to its end, or as far as it can be taken yet."""
        while self._can_be_taken(line) and len(line.tokens) < self._wish.most_tokens:
            self.written += 1
            scores = self._behind(line.tokens)[-1]
            yield ""
            self._go_on(line, scores)
            if line.is_complete:
                self._complete.append(line)
                return

    def _behind(self, tokens: Sequence[int]) -> Sequence[Scores]:
        """What comes next behind each of the last tokens, those that were not read yet."""
        known = len(self._read)
        if self._read != tokens[:known] or known == len(tokens):
            known = self._reader.rewind([*self._before, *tokens]) - len(self._before)
        self._read = list(tokens)
        left = [*self._before, *tokens][len(self._before) + known :]
        while len(left) > PREFILL_PIECE_TOKENS:  # all of it, if what was read cannot be taken back
            self._reader.read_each(left[:PREFILL_PIECE_TOKENS])
            left = left[PREFILL_PIECE_TOKENS:]
        return self._reader.read_each(left)

    def _can_be_taken(self, line: Line) -> bool:
        return all(line.likelihood >= other.likelihood - WITHIN for other in self._complete)

    def _go_on(self, line: Line, scores: Scores) -> None:
        """Take the likeliest token, and note what else there was."""
        likely = log_likelihoods(scores)
        first, second = two_likeliest(likely)
        place = _Place(
            float(likely[first] - likely[second]),
            len(line.tokens),
            second,
            line.likelihood + float(likely[second]),
            line.likelihood + log_sum(likely[self._stops]),
            float(likely[self._wish.following[0]]) if self._wish.following else 0.0,
        )
        line.places.append(place)
        if self._ends(line.tokens, first):
            line.likelihood, line.followed, line.is_complete = place.end, place.followed, True
        else:
            line.likelihood += float(likely[first])
            line.tokens.append(first)

    def _ends(self, tokens: Sequence[int], token: int) -> bool:
        """Whether a line ends before a token: a stop, or a line end behind anything that can be seen."""
        is_line_end = b"\n" in self._vocabulary.piece(token) and bool(self.spelled(tokens).strip())
        return is_line_end or token in self._stops

    def _compared(self) -> Generator[str, None, Line]:
        """Of the likeliest lines the one that goes best with what follows."""
        lines, following = self._likeliest(), list(self._wish.following)
        for line in lines if len(lines) > 1 and len(following) > 1 else ():
            # The first token was foreseen by the end of the line, and nothing need be foreseen by the last.
            scores = self._behind([*line.tokens, *following[:-1]])[1 - len(following) :]
            yield ""
            for token, behind in zip(following[1:], scores, strict=True):
                line.followed += float(log_likelihoods(behind)[token])
        return max(lines, key=lambda line: line.likelihood + line.followed)

    def _likeliest(self) -> list[Line]:
        """Those that are compared: all that would be shown, if any would."""
        by_text: dict[bytes, Line] = {}
        for line in sorted(filter(self._can_be_taken, self._complete), key=_likelihood, reverse=True):
            by_text.setdefault(self.spelled(line.tokens).rstrip(), line)
        shown = [line for text, line in by_text.items() if self._wish.is_shown(text)]
        return shown[:MOST_COMPARED] or list(by_text.values())[:1]


def _likelihood(line: Line) -> float:
    return line.likelihood
