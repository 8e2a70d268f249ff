"""What a model in ik_llama.cpp has read, kept from one prompt to the next, and of some prompts before."""

from __future__ import annotations

import ctypes
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lsp_server.backends.ik_context import IkContext
from lsp_server.errors import BackendError

if TYPE_CHECKING:
    from lsp_server.backends.sampling import Scores

KEPT_BYTES = 64_000_000
"""Room for copies of the KV cache, so that going back to a place costs nothing."""
WORTH_KEEPING_TOKENS = 96
"""Fewer are sooner read again than copied."""


class IkReader:
    """Reads tokens and scores what comes next; what was read for an earlier prompt is not read again.

    Args:
        context: the model.
        kept_bytes: how much memory earlier prompts may take.
    """

    def __init__(self, context: IkContext, kept_bytes: int = KEPT_BYTES) -> None:
        self._context = context
        self._kept_bytes = kept_bytes
        self._ids: tuple[int, ...] = ()
        self._kept: OrderedDict[tuple[int, ...], ctypes.Array[ctypes.c_char]] = OrderedDict()

    def rewind(self, ids: Sequence[int]) -> int:
        """Keep what ``ids`` begins with; how many tokens that is, never all of them."""
        wanted = tuple(ids[:-1])
        common = common_length(self._ids, wanted)
        earlier = max(self._kept, key=lambda kept: common_length(kept, wanted), default=())
        gain = common_length(earlier, wanted) - common
        if len(self._ids) - common >= WORTH_KEEPING_TOKENS:
            self._keep()
        if gain >= WORTH_KEEPING_TOKENS:
            self._restore(earlier)
            common = common_length(self._ids, wanted)
        if common < len(self._ids) and not self._context.cut(common):
            common = 0
            self._context.forget()
        self._ids = self._ids[:common]
        return common

    def read(self, ids: Sequence[int]) -> Scores:
        """Read further tokens; the scores of the next one.

        Raises:
            BackendError: the model failed.
        """
        return self._read(ids, 1)[0]

    def read_each(self, ids: Sequence[int]) -> Sequence[Scores]:
        """Read further tokens; for each the scores of the one behind it.

        Raises:
            BackendError: the model failed.
        """
        return self._read(ids, len(ids))

    def going_on(self, _prompt: Sequence[int], _room: int) -> Callable[[int], Scores]:
        """Goes on by one token after the other, without drafts: they were measured to gain nothing here."""
        return lambda token: self.read((token,))

    def _read(self, ids: Sequence[int], scored: int) -> Sequence[Scores]:
        try:
            scores = self._context.read(ids, len(self._ids), scored)
        except BackendError:
            self._context.forget()
            self._ids = ()
            raise
        self._ids += tuple(ids)
        return scores

    def _keep(self) -> None:
        """Copy what was read, in place of copies that were not needed for long."""
        size = self._context.state_bytes()
        if size > self._kept_bytes:
            return
        for shorter in [kept for kept in self._kept if common_length(kept, self._ids) == len(kept)]:
            del self._kept[shorter]
        while sum(map(len, self._kept.values())) + size > self._kept_bytes:
            self._kept.popitem(last=False)
        self._kept[self._ids] = self._context.state()

    def _restore(self, ids: tuple[int, ...]) -> None:
        """Go back to an earlier prompt, if it was not let go of meanwhile."""
        if (state := self._kept.get(ids)) is not None:
            self._kept.move_to_end(ids)
            # What was there before is gone in either case.
            self._ids = ids if self._context.restore(state) else ()


def common_length(first: Sequence[int], second: Sequence[int]) -> int:
    """With how many equal tokens both begin."""
    shorter = min(len(first), len(second))
    return next((at for at in range(shorter) if first[at] != second[at]), shorter)
