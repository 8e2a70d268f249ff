"""Prompt lookup: a draft of what comes next, from where the last tokens stood before, checked in one pass.

Code says much of what it says twice. A model reads a few tokens in hardly more time than one, since it is
the weights that have to come from memory; so where the last tokens stood earlier in the prompt, what followed
them there is read along, and as much of it as the model then chooses is spared a pass of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lsp_server.backends.sampling import Scores

KEY_TOKENS = 3
"""So many tokens must have stood there before."""
DRAFT_TOKENS = 3
"""More are seldom all right, and every wrong one has cost a tenth of a pass."""


class DraftReader(Protocol):
    """A model that reads drafts."""

    @property
    def can_drop(self) -> bool:
        """Whether it can take back what it read; recurrent states cannot."""
        ...

    def read_each(self, ids: Sequence[int]) -> Sequence[Scores]:
        """Read further tokens; for each the scores of the one behind it."""
        ...

    def drop(self, count: int) -> None:
        """Take back the tokens that were read last."""
        ...


class PromptLookup:
    """Where the last tokens stood before, and what followed.

    Args:
        ids: the prompt.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = list[int]()
        self._behind: dict[tuple[int, ...], int] = {}
        for token in ids:
            self.take(token)

    def take(self, token: int) -> None:
        """The text goes on by a token."""
        if len(self._ids) >= KEY_TOKENS:
            self._behind[tuple(self._ids[-KEY_TOKENS:])] = len(self._ids)
        self._ids.append(token)

    def draft(self) -> list[int]:
        """What may come next; empty where the last tokens are new together."""
        at = self._behind.get(tuple(self._ids[-KEY_TOKENS:]))
        return [] if at is None else self._ids[at : at + DRAFT_TOKENS]


class Lookahead:
    """Reads what was chosen, and with it what may be chosen next.

    Args:
        reader: the model, which has read the prompt.
        ids: the prompt.
        room: how many tokens the context still holds; many a model fails on one more.
    """

    def __init__(self, reader: DraftReader, ids: Sequence[int], room: int) -> None:
        self._reader = reader
        self._room = room
        self._lookup = PromptLookup(ids)
        self._ahead: deque[tuple[int, Scores]] = deque()

    def read(self, token: int) -> Scores:
        """Go on by the token that was chosen; the scores of the next one.

        Raises:
            BackendError: the model failed.
        """
        self._lookup.take(token)
        self._room -= 1
        if self._ahead and self._ahead[0][0] == token:
            return self._ahead.popleft()[1]
        if self._ahead:
            self._reader.drop(len(self._ahead))
            self._ahead.clear()
        draft = self._lookup.draft()[: self._room] if self._reader.can_drop else []
        scores = self._reader.read_each([token, *draft])
        self._ahead.extend(zip(draft, scores[1:], strict=True))
        return scores[0]
