"""What a model foresees behind each token of a line, where lines are read one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from lsp_server.backends.base import PREFILL_PIECE_TOKENS

if TYPE_CHECKING:
    from lsp_server.backends.sampling import Scores


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


class LineReading:
    """Reads lines behind the same text.

    Args:
        reader: the model.
        before: the text, which it has read.
    """

    def __init__(self, reader: LineReader, before: Sequence[int]) -> None:
        self._reader = reader
        self._before = before
        self._read: list[int] = []

    def behind(self, tokens: Sequence[int], count: int = 1) -> Sequence[Scores]:
        """What comes next behind each of the last tokens of a line.

        Args:
            tokens: the line; what it begins with like the one that was read last is not read again.
            count: of how many tokens; at most ``PREFILL_PIECE_TOKENS``.

        Raises:
            BackendError: the model failed.
        """
        known, most = len(self._read), len(tokens) - count
        if known > most or self._read != tokens[:known]:
            known = self._reader.rewind([*self._before, *tokens[: most + 1]]) - len(self._before)
        self._read = list(tokens)
        left = [*self._before, *tokens][len(self._before) + known :]
        while len(left) > PREFILL_PIECE_TOKENS:  # all of it, if what was read cannot be taken back
            piece = len(left) % PREFILL_PIECE_TOKENS or PREFILL_PIECE_TOKENS  # the last one is a whole one
            self._reader.read_each(left[:piece])
            left = left[piece:]
        return self._reader.read_each(left)[-count:]
