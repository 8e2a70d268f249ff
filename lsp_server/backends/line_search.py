"""One line in the best of several ways to write it.

The likeliest token, taken over and over, makes neither the likeliest line nor always one that leads to what
stands behind the cursor. So other ways are tried behind it: those that begin with another token, and those
that leave the likeliest line where the model is least sure of it. Of the likeliest few the one is taken that
is likeliest together with the first tokens of what follows.

A way is given up as soon as it is clearly less likely than a line that is complete: where the model is sure,
nothing is written but the line itself.

A line that the file has elsewhere, between the same lines, is only read: it may be the best one though the
model would not write it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import TYPE_CHECKING, NamedTuple

from lsp_server.backends.line_reading import LineReader, LineReading
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
AGREEING = 1.0
"""What each line above and below that agrees is worth to a line of the file; ln p."""

Passes = Generator[str, None, None]
"""Yields an empty piece behind each pass through the model, where it may be left."""


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
        agreeing: how many lines are the same above and below where the file has it elsewhere.
        places: where it could have gone another way.
    """

    tokens: list[int]
    likelihood: float
    is_complete: bool = False
    followed: float = 0.0
    agreeing: int = 0
    places: list[_Place] = field(default_factory=list)

    @property
    def worth(self) -> float:
        """By what it is chosen."""
        return self.likelihood + self.followed + AGREEING * self.agreeing


@dataclass(frozen=True)
class Wish:
    """What a line is to be.

    Attributes:
        following: the first tokens of what stands behind the cursor.
        is_shown: whether what it spells would be shown.
        most_tokens: the longest line.
        elsewhere: lines of the file that it may be, too: their tokens, and how many lines agree beside them.
        is_varied: whether other lines are written besides the likeliest tokens.
    """

    following: Sequence[int]
    is_shown: Callable[[bytes], bool]
    most_tokens: int
    elsewhere: Sequence[tuple[list[int], int]] = ()
    is_varied: bool = True


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
        self._reading = LineReading(reader, before)
        self._vocabulary = vocabulary
        self._stops = sorted(stops)
        self._wish = wish
        self._complete: list[Line] = []
        self.written = 0

    def best(self, likely: Scores, starts: Sequence[int]) -> Generator[str, None, Line]:
        """The line to show; yields an empty piece behind each pass, where it may be left.

        Args:
            likely: how likely each token is to be its first one; ln p.
            starts: what may begin it, the likeliest first; none where nothing is the likeliest.

        Raises:
            BackendError: the model failed.
        """
        lines = [Line([token], float(likely[token])) for token in starts]
        if lines:
            yield from self._write_all(lines)
            if not lines[0].is_complete:
                return lines[0]
        else:
            end, followed = log_sum(likely[self._stops]), self._followed(likely)
            self._complete.append(Line([], end, is_complete=True, followed=followed))
        return (yield from self._chosen(likely))

    def _write_all(self, lines: Sequence[Line]) -> Passes:
        """Write the likeliest line, and if it comes to its end the others."""
        plain, *others = lines
        yield from self._write(plain)
        if not (plain.is_complete and self._wish.is_varied):
            return
        for line in others:
            if line.likelihood >= LEAST_START:
                yield from self._write(line)
        likeliest = max(self._complete, key=_likelihood)
        for place in nsmallest(MOST_DOUBTS, likeliest.places):
            yield from self._turn(likeliest, place)

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
            (scores,) = self._reading.behind(line.tokens)
            yield ""
            self._go_on(line, scores)
            if line.is_complete:
                self._complete.append(line)
                return

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
            self._followed(likely),
        )
        line.places.append(place)
        if self._ends(line.tokens, first):
            line.likelihood, line.followed, line.is_complete = place.end, place.followed, True
        else:
            line.likelihood += float(likely[first])
            line.tokens.append(first)

    def _followed(self, likely: Scores) -> float:
        """How likely the first token of what follows is; ln p."""
        return float(likely[self._wish.following[0]]) if self._wish.following else 0.0

    def _ends(self, tokens: Sequence[int], token: int) -> bool:
        """Whether a line ends before a token: a stop, or a line end behind anything that can be seen."""
        is_line_end = b"\n" in self._vocabulary.piece(token) and bool(self.spelled(tokens).strip())
        return is_line_end or token in self._stops

    def _chosen(self, likely: Scores) -> Generator[str, None, Line]:
        """Of the likeliest lines and those of the file the one that goes best with what follows."""
        written, others = self._likeliest(), []
        texts = {self._text(line): line for line in written}
        for tokens, agreeing in self._wish.elsewhere:
            line = Line(tokens, float(likely[tokens[0]]), agreeing=agreeing)
            if same := texts.get(self._text(line)):
                same.agreeing = agreeing
            elif line.likelihood >= LEAST_START and self._wish.is_shown(self._text(line)):
                others.append(line)
        for line in written if len(written) + len(others) > 1 else ():
            yield from self._follow(line)
        best = max(written, key=_worth)
        for line in others:
            if line.worth > best.worth:
                yield from self._read_whole(line)
                best = max(best, line, key=_worth)
        return best

    def _follow(self, line: Line) -> Passes:
        """Ask what follows a line that is written; the first token of it was foreseen by its end."""
        following = list(self._wish.following)
        if len(following) > 1:
            scores = self._reading.behind([*line.tokens, *following[:-1]], len(following) - 1)
            yield ""
            line.followed += _likelihoods(scores, following[1:])

    def _read_whole(self, line: Line) -> Passes:
        """Read a line of the file together with what follows it."""
        _, *others = line.tokens
        following = list(self._wish.following)
        tokens = [*line.tokens, *following[:-1]]
        scores = self._reading.behind(tokens, len(tokens))
        yield ""
        within, behind = scores[: len(others)], scores[len(others) :]
        line.likelihood += _likelihoods(within, others) + log_sum(log_likelihoods(behind[0])[self._stops])
        line.followed = _likelihoods(behind, following)
        line.is_complete = True

    def _text(self, line: Line) -> bytes:
        return self.spelled(line.tokens).rstrip()

    def _likeliest(self) -> list[Line]:
        """Those that are compared: all that would be shown, if any would."""
        by_text: dict[bytes, Line] = {}
        for line in sorted(filter(self._can_be_taken, self._complete), key=_likelihood, reverse=True):
            by_text.setdefault(self._text(line), line)
        shown = [line for text, line in by_text.items() if self._wish.is_shown(text)]
        return shown[:MOST_COMPARED] or list(by_text.values())[:1]


def _likelihood(line: Line) -> float:
    return line.likelihood


def _worth(line: Line) -> float:
    return line.worth


def _likelihoods(scores: Sequence[Scores], tokens: Sequence[int]) -> float:
    """How likely tokens are one behind the other, by the scores of the place of each; ln p."""
    return sum(float(log_likelihoods(place)[token]) for place, token in zip(scores, tokens, strict=False))
