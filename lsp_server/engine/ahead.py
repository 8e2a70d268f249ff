"""While the user does nothing: what may come next is asked for, or read.

That is what comes after a suggestion, in case that it is accepted, or what stands where the cursor was moved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from lsp_server.engine.engine import Engine
from lsp_server.engine.job import State

LOOKING_S = 0.2
"""So long after an answer, or a move of the cursor, and no other event the user looks at what is there."""


class Ahead:
    """Who looks at something now, by document.

    Args:
        engine: the model.
        sleep: waits for some seconds.
    """

    def __init__(self, engine: Engine, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._engine = engine
        self._sleep = sleep
        self._looking: dict[str, asyncio.Task[None]] = {}

    def watch(self, uri: str, ask: Callable[[], None]) -> None:
        """Call ``ask`` after a moment without any event, if the model has nothing else to do then.

        A model behind an address is left alone: its work may cost money, or make others wait.
        """
        self.disturb(uri)
        self._looking[uri] = asyncio.ensure_future(self._look(uri, ask))

    def disturb(self, uri: str) -> None:
        """Something happens to the document: the moment is over."""
        if (looking := self._looking.pop(uri, None)) is not None:
            looking.cancel()

    async def _look(self, uri: str, ask: Callable[[], None]) -> None:
        await self._sleep(LOOKING_S)
        del self._looking[uri]
        status = self._engine.status
        if self._engine.idle and status.state is State.READY and not status.is_remote:
            ask()
