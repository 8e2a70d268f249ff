"""What a model foresees behind each token of a line, where lines are read one after the other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lsp_server.backends.base import PREFILL_PIECE_TOKENS
from lsp_server.backends.sampling import log_likelihoods, log_sum

if TYPE_CHECKING:
    from lsp_server.backends.sampling import Scores

AGREEING = 1.0
"""What each line above and below that agrees is worth to a line of the file; ln p."""

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


@dataclass(frozen=True)
class Wish:
    """What a line is to be.

    Attributes:
        following: the first tokens of what stands behind the cursor.
        is_shown: whether what tokens spell would be shown.
        most_tokens: the longest line.
        stops: tokens that end a text.
    """

    following: Sequence[int]
    is_shown: Callable[[Sequence[int]], bool]
    most_tokens: int
    stops: Sequence[int]

    def ended(self, likely: Scores) -> float:
        """How likely the end is by the likelihoods of each token; ln p."""
        return log_sum(likely[self.stops])

    def followed(self, likely: Scores) -> float:
        """How likely the first token of what follows is; ln p."""
        return float(likely[self.following[0]]) if self.following else 0.0


@dataclass(eq=False)
class Line:
    """A line, as far as it is written or read.

    Attributes:
        tokens: what is written of it.
        likelihood: of those that were read, and of its end if it is complete; ln p.
        is_complete: whether it ended by itself.
        followed: how likely what follows is behind it, as far as that was read; ln p.
        agreeing: how many lines are the same above and below where the file has it elsewhere.
    """

    tokens: list[int]
    likelihood: float
    is_complete: bool = False
    followed: float = 0.0
    agreeing: int = 0

    @property
    def weight(self) -> float:
        """How likely it is in this file."""
        return self.likelihood + AGREEING * self.agreeing

    @property
    def worth(self) -> float:
        """By what it is chosen."""
        return self.weight + self.followed


class LineReading:
    """Reads lines behind the same text.

    Args:
        reader: the model.
        before: the text, which it has read.
        wish: what a line is to be.
    """

    def __init__(self, reader: LineReader, before: Sequence[int], wish: Wish) -> None:
        self.wish = wish
        self._reader = reader
        self._before = before
        self._read: list[int] | None = None

    def behind(self, tokens: Sequence[int], count: int = 1) -> Sequence[Scores]:
        """What comes next behind each of the last tokens of a line.

        Args:
            tokens: the line; what it begins with like the one that was read last is not read again.
            count: of how many tokens; at most ``PREFILL_PIECE_TOKENS``.

        Raises:
            BackendError: the model failed.
        """
        most, read = len(tokens) - count, self._read
        if read is not None and len(read) <= most and read == tokens[: len(read)]:
            known = len(read)
        else:  # some more may have been read along with what stood before
            known = self._reader.rewind([*self._before, *tokens[: most + 1]]) - len(self._before)
        self._read = list(tokens)
        return self._read_on([*self._before, *tokens][len(self._before) + known :])[-count:]

    def follow(self, line: Line) -> Passes:
        """Ask what follows a line that is complete; the first token of it was foreseen by its end."""
        following = list(self.wish.following)
        if len(following) > 1:
            scores = self.behind([*line.tokens, *following[:-1]], len(following) - 1)
            yield ""
            line.followed += _likelihoods(scores, following[1:])

    def complete(self, line: Line) -> Passes:
        """Read a line of which only the first token is weighed, together with what follows it."""
        _, *others = line.tokens
        following = list(self.wish.following)
        tokens = [*line.tokens, *following[:-1]]
        scores = self.behind(tokens, len(tokens))
        yield ""
        within, behind = scores[: len(others)], scores[len(others) :]
        line.likelihood += _likelihoods(within, others) + self.wish.ended(log_likelihoods(behind[0]))
        line.followed = _likelihoods(behind, following)
        line.is_complete = True

    def leave(self) -> None:
        """Leave nothing read but what stood before.

        Raises:
            BackendError: the model failed.
        """
        known = self._reader.rewind([*self._before, *self._before[:1]])
        self._read = None
        if known < len(self._before):
            self._read_on(self._before[known:])

    def _read_on(self, ids: Sequence[int]) -> Sequence[Scores]:
        while len(ids) > PREFILL_PIECE_TOKENS:  # all of it, if what was read cannot be taken back
            piece = len(ids) % PREFILL_PIECE_TOKENS or PREFILL_PIECE_TOKENS  # the last one is a whole one
            self._reader.read_each(ids[:piece])
            ids = ids[piece:]
        return self._reader.read_each(ids)


def _likelihoods(scores: Sequence[Scores], tokens: Sequence[int]) -> float:
    """How likely tokens are one behind the other, by the scores of the place of each; ln p."""
    return sum(float(log_likelihoods(place)[token]) for place, token in zip(scores, tokens, strict=False))
