"""What the editor is told of the model: its state, the progress of loading, and at most one complaint."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from lsp_server.engine.job import State, Status
from lsp_server.lsp.protocol import UNANSWERED

if TYPE_CHECKING:
    from collections.abc import Callable

    from lsp_server.lsp.session import FimServer

STATUS_NOTIFICATION = "fim-ls/status"


def on_the_wire(status: Status) -> dict[str, Any]:
    """A status as ``fim-ls/status`` and the command of that name tell it."""
    wire: dict[str, Any] = {
        "state": status.state.value,
        "model": status.model,
        "device": status.device,
        "message": status.message,
    }
    # What is not known of a model is left out: null would be one more case for every client.
    if status.memory_bytes is not None:
        wire["memoryBytes"] = status.memory_bytes
    if (identity := status.identity) is not None:
        wire["format"] = {
            "name": identity.form.name,
            "knownBy": identity.how,
            "reason": identity.sentence,
        }
    return wire


class StatusReporter:
    """Tells one client the state of the model.

    Args:
        server: the client's server.
    """

    def __init__(self, server: FimServer) -> None:
        self._server = server
        self._told: dict[str, Any] | None = None
        self._has_complained = False
        self._progress = LoadProgress(server)
        self._unsubscribe: Callable[[], None] | None = None
        self._is_telling = False

    def start(self) -> None:
        """Tell the state now and whenever it changes."""
        self._is_telling = True
        self._unsubscribe = self._server.completer.subscribe(self.tell)

    def stop(self) -> None:
        """Tell nothing any more, not even what is on its way."""
        self._is_telling = False
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def tell(self, status: Status) -> None:
        """Tell a state, unless it is what was told last."""
        if not self._is_telling:
            return
        self._progress.follow(status)
        if (wire := on_the_wire(status)) == self._told:
            return
        self._told = wire
        self._server.protocol.notify(STATUS_NOTIFICATION, wire)
        if status.state is State.ERROR:
            self.complain(status.message)

    def complain(self, sentence: str) -> None:
        """Show that the model failed: once, until it works again."""
        if sentence and not self._has_complained:
            self._has_complained = True
            self._server.show(sentence, types.MessageType.Error)

    def works_again(self) -> None:
        """The model answered, or other settings hold: the next failure is news."""
        self._has_complained = False


class LoadProgress:
    """Draws ``$/progress`` while a model is fetched, loaded and warmed up.

    Args:
        server: the client's server.
    """

    def __init__(self, server: FimServer) -> None:
        self._server = server
        self._status = Status(State.OFF)
        self._changed = asyncio.Event()
        self._is_drawing = False
        self._numbers = itertools.count(1)

    def follow(self, status: Status) -> None:
        """Begin, go on or end, as the state says; does nothing for a client that draws no progress."""
        self._status = status
        self._changed.set()
        if status.state is State.LOADING and self._server.client.progress and not self._is_drawing:
            self._is_drawing = True
            self._server.in_background(self._draw())

    async def _draw(self) -> None:
        token = f"fim-ls-{next(self._numbers)}"  # there are editors that show it
        create = types.WorkDoneProgressCreateParams(token)
        with suppress(*UNANSWERED):  # a client that does not answer is not asked again
            await self._server.protocol.request(types.WINDOW_WORK_DONE_PROGRESS_CREATE, create)
            await self._draw_until_loaded(token)
            self._is_drawing = False

    async def _draw_until_loaded(self, token: str) -> None:
        title = f"Loading {self._status.model}".rstrip()
        self._send(token, types.WorkDoneProgressBegin(title, percentage=0))
        told = types.WorkDoneProgressReport(percentage=0)
        while self._status.state is State.LOADING:
            if (report := _report(self._status)) != told:
                told = report
                self._send(token, report)
            self._changed.clear()
            await self._changed.wait()
        self._send(token, types.WorkDoneProgressEnd(message=self._status.state.value))

    def _send(self, token: str, value: Any) -> None:
        self._server.protocol.notify(types.PROGRESS, types.ProgressParams(token, value))


def _report(status: Status) -> types.WorkDoneProgressReport:
    percentage = None if status.progress is None else int(100 * status.progress)
    return types.WorkDoneProgressReport(message=status.message or None, percentage=percentage)
