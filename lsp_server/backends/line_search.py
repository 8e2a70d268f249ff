"""One line in the best of several ways to write it.

The likeliest token, taken over and over, makes neither the likeliest line nor always one that leads to what
stands behind the cursor. So other ways are tried behind it: those that begin with another token, and those
that leave the likeliest line where the model is least sure of it. Of the likeliest few the one is taken that
is likeliest together with the first tokens of what follows.

A way is given up as soon as it is clearly less likely than a line that is complete: where the model is sure,
nothing is written but the line itself.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import TYPE_CHECKING, NamedTuple

from lsp_server.backends.line_reading import Line, LineReading, Passes
from lsp_server.backends.loops import one_round_more
from lsp_server.backends.sampling import log_likelihoods, two_likeliest, without

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
WITHIN_HIDDEN = 4.0
"""The same where the likeliest would not be shown, as the next line of a list once more."""
MOST_COMPARED = 3
"""So many lines are asked what follows them."""


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
class _Written(Line):
    """A line that is being written.

    Attributes:
        places: where it could have gone another way.
        is_shown: whether it would be shown; known once it is complete.
    """

    places: list[_Place] = field(default_factory=list)
    is_shown: bool = False


class LineSearch:
    """Writes one line in several ways.

    Args:
        reading: the model, and what the line is to be.
        vocabulary: what tokens spell.

    Attributes:
        written: how many tokens were, those of other lines among them.
    """

    def __init__(self, reading: LineReading, vocabulary: Vocabulary) -> None:
        self._reading = reading
        self._wish = reading.wish
        self._vocabulary = vocabulary
        self._complete: list[_Written] = []
        self.written = 0

    def best(
        self, likely: Scores, starts: Sequence[int], elsewhere: Iterable[Line] = ()
    ) -> Generator[str, None, Line]:
        """The line to show; yields an empty piece behind each pass, where it may be left.

        Args:
            likely: how likely each token is to be its first one; ln p.
            starts: what may begin it, the likeliest first; none where nothing is the likeliest.
            elsewhere: lines of the file that it may be, too; of some only the first token may have been read.

        Raises:
            BackendError: the model failed.
        """
        if starts:
            plain, *others = (_Written([token], float(likely[token])) for token in self._here(likely, starts))
            yield from self._write(plain)
            yield from self._write_others(others)
            if not self._complete:
                return plain
        else:
            end, followed = self._wish.ended(likely), self._wish.followed(likely)
            self._keep(_Written([], end, followed=followed))
        return (yield from self._chosen(elsewhere))

    def _here(self, likely: Scores, starts: Sequence[int]) -> Sequence[int]:
        """Those that begin the line at the cursor, if there are any: a line end would leave it empty."""
        possible = [token for token in starts if likely[token] >= LEAST_START]
        return [token for token in possible if b"\n" not in self._vocabulary.piece(token)] or starts

    def _write_others(self, others: Sequence[_Written]) -> Passes:
        """Write lines that begin with other tokens, and those that leave the likeliest one."""
        for line in others:
            if line.likelihood >= LEAST_START:
                yield from self._write(line)
        likeliest = max(self._complete, key=_likelihood, default=_Written([], 0.0))
        for place in nsmallest(MOST_DOUBTS, likeliest.places):
            yield from self._turn(likeliest, place)

    def _turn(self, line: _Written, place: _Place) -> Passes:
        """Write the line that takes the second token at a place, or ends there."""
        before = line.tokens[: place.length]
        if self._ends(before, place.second):
            self._keep(_Written(before, place.end, followed=place.followed))
        else:
            yield from self._write(_Written([*before, place.second], place.likelihood))

    def _write(self, line: _Written) -> Passes:
        """Write a line to its end, or as far as it can be taken yet."""
        while self._can_be_taken(line) and len(line.tokens) < self._wish.most_tokens:
            self.written += 1
            (scores,) = self._reading.behind(line.tokens)
            yield ""
            if self._ends_with(line, scores):
                self._keep(line)
                return

    def _keep(self, line: _Written) -> None:
        """Take in a line that is complete."""
        line.is_complete, line.is_shown = True, self._wish.is_shown(line.tokens)
        self._complete.append(line)

    def _can_be_taken(self, line: Line) -> bool:
        return all(
            line.likelihood >= other.likelihood - (WITHIN if other.is_shown else WITHIN_HIDDEN)
            for other in self._complete
        )

    def _ends_with(self, line: _Written, scores: Scores) -> bool:
        """Take the likeliest token, and note what else there was; whether that ends the line."""
        likely = log_likelihoods(scores)
        first, second = two_likeliest(without(one_round_more(line.tokens, self._vocabulary), likely))
        place = _Place(
            float(likely[first] - likely[second]),
            len(line.tokens),
            second,
            line.likelihood + float(likely[second]),
            line.likelihood + self._wish.ended(likely),
            self._wish.followed(likely),
        )
        line.places.append(place)
        if self._ends(line.tokens, first):
            line.likelihood, line.followed = place.end, place.followed
            return True
        line.likelihood += float(likely[first])
        line.tokens.append(first)
        return False

    def _ends(self, tokens: Sequence[int], token: int) -> bool:
        """Whether a line ends before a token: a stop, or a line end behind anything that can be seen."""
        is_line_end = b"\n" in self._vocabulary.piece(token) and bool(self._text(tokens).strip())
        return is_line_end or token in self._wish.stops

    def _chosen(self, elsewhere: Iterable[Line]) -> Generator[str, None, Line]:
        """Of the likeliest lines and those of the file the one that goes best with what follows."""
        written, others = self._likeliest(), []
        by_text = {self._text(line.tokens).rstrip(): line for line in written}
        for line in elsewhere:
            if same := by_text.get(self._text(line.tokens).rstrip()):
                same.agreeing = line.agreeing
            else:
                others.append(line)
        for line in written if len(written) + len(others) > 1 else ():
            yield from self._reading.follow(line)
        best: Line = max(written, key=_worth)
        for line in others:
            if line.worth > best.worth:
                if not line.is_complete:
                    yield from self._reading.complete(line)
                best = max(best, line, key=_worth)
        return best

    def _likeliest(self) -> list[_Written]:
        """Those that are compared: all that would be shown, if any would."""
        by_text: dict[bytes, _Written] = {}
        for line in sorted(filter(self._can_be_taken, self._complete), key=_likelihood, reverse=True):
            by_text.setdefault(self._text(line.tokens).rstrip(), line)
        shown = [line for line in by_text.values() if line.is_shown]
        return shown[:MOST_COMPARED] or list(by_text.values())[:1]

    def _text(self, tokens: Sequence[int]) -> bytes:
        return self._vocabulary.spelled(tokens)


def _likelihood(line: Line) -> float:
    return line.likelihood


def _worth(line: Line) -> float:
    return line.worth
