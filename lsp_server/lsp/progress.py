"""An answer that is drawn while it is written: ``$/progress`` under the client's token, or one of ours."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp_server.lsp.protocol import UNANSWERED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from lsp_server.lsp.session import FimServer

    Token = int | str


@asynccontextmanager
async def drawn_progress(
    ls: FimServer, title: str, token: Token | None
) -> AsyncIterator[Callable[[str], None]]:
    """Begin, and end in any case; gives what to call with all text so far, which each report holds.

    The task that runs the block is cancelled when the user cancels the progress.

    Args:
        ls: the client's server.
        title: what is being done.
        token: the client's own; without one it is asked to draw under a token of ours, if it can.
    """
    token = await _created(ls) if token is None else token
    if token is None:
        yield lambda _text: None
        return
    progress = ls.protocol.progress
    progress.begin(token, types.WorkDoneProgressBegin(title, cancellable=True))
    task = asyncio.current_task()
    progress.tokens[token].add_done_callback(lambda _future: task and task.cancel())

    def report(text: str) -> None:
        if token in progress.tokens:  # a piece may still be on its way when the task is cancelled
            progress.report(token, types.WorkDoneProgressReport(message=text))

    try:
        yield report
    finally:
        progress.tokens.pop(token, None)
        progress.end(token, types.WorkDoneProgressEnd())


async def _created(ls: FimServer) -> Token | None:
    """A token that the client draws progress under; None if it does not."""
    if not ls.client.progress:
        return None
    token = str(uuid.uuid4())
    try:
        create = types.WorkDoneProgressCreateParams(token)
        await ls.protocol.request(types.WINDOW_WORK_DONE_PROGRESS_CREATE, create)
    except UNANSWERED:
        return None
    return token
