"""What is generated for the documents of one client, and what is typed there meanwhile.

A generation belongs to its document, and not to the request that it was begun for: while the user types what
it writes it goes on, and the next request gets what is left of it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from lsp_server.completion.document import Document, Snapshot
from lsp_server.completion.trigger import Go
from lsp_server.engine.engine import Engine
from lsp_server.engine.job import Job, Outcome

SUPERSEDED = Outcome(finish_reason="superseded")
GRACE_S = 0.3
"""How long a generation that is being typed goes on between a request that was given up and the next."""


@dataclass(eq=False)
class Flight:
    """A job that may go on while the user types what it writes.

    Attributes:
        place: where it writes.
        multiline: whether it may write a block.
        epoch: all but the text that its answer depends on.
        job: what the model works on.
        text: what it has written so far; set on the worker's thread.
        is_typed: whether there was an edit since a request came for it, and only of what it writes.
        only_reads: whether it is to end with its first token: nobody wants more of it than that its prompt,
            most of which the next one has too, is read.
    """

    place: Snapshot
    multiline: bool
    epoch: str
    job: Job
    text: str = ""
    is_typed: bool = False
    only_reads: bool = False

    def hear(self, text: str) -> None:
        """Take in what was written so far; called on the worker's thread."""
        self.text = text
        if self.only_reads:
            self.job.leave("superseded")

    @property
    def is_over(self) -> bool:
        """Whether its answer is there, or will never be."""
        return self.job.left or self.job.future.done()

    def serves(self, place: Snapshot, verdict: Go, epoch: str) -> bool:
        """Whether it has begun to write what would be asked for at a place."""
        if not self.text or self.epoch != epoch or (verdict.multiline and not self.multiline):
            return False
        typed = self.typed_in(place.document)
        return typed is not None and place.offset == self.place.offset + len(typed)

    def typed_in(self, document: Document) -> str | None:
        """What was typed of what it writes; None if the document was changed in any other way.

        As long as it has written nothing, whatever is typed at its place may become that.
        """
        before, offset = self.place.document.text, self.place.offset
        length = len(document.text) - len(before)
        typed = document.text[offset : offset + length]
        if length < 0 or not (self.text.startswith(typed) or not self.text):
            return None
        is_elsewhere = document.text[:offset] != before[:offset]
        return None if is_elsewhere or document.text[offset + length :] != before[offset:] else typed

    def left_of(self, outcome: Outcome, place: Snapshot) -> Outcome | None:
        """What is left of its answer at a place that it serves; None if that is nothing.

        Of several candidates those are left that begin with what was typed, whichever that was.
        """
        if place.document is self.place.document:
            return outcome
        typed = place.document.text[self.place.offset : place.offset]
        left = [
            (text.removeprefix(typed), reason)
            for text, reason in zip(outcome.texts, outcome.reasons, strict=True)
            if text.startswith(typed) and text.removeprefix(typed).strip()
        ]
        if not left:
            return None
        texts, reasons = zip(*left, strict=True)
        return replace(outcome, texts=texts, reasons=reasons)


class Flights:
    """One generation for each document of a client.

    Args:
        engine: the model.

    Attributes:
        client: names the client; no other client of the engine has the same name.
    """

    def __init__(self, engine: Engine) -> None:
        self.client = secrets.token_hex(4)
        self._engine = engine
        self._flights: dict[str, Flight] = {}

    def key(self, uri: str) -> str:
        """What the engine knows a document of this client by."""
        return f"{self.client} {uri}"

    def begin(self, flight: Flight) -> Flight:
        """Let the model work on it, in place of what it does for that document."""
        hear_too = flight.job.on_text

        def hear(text: str) -> None:
            flight.hear(text)
            hear_too(text)

        flight.job.on_text = hear
        self._flights[flight.place.document.uri] = flight
        self._engine.submit(flight.job)
        return flight

    def along(self, place: Snapshot, verdict: Go, epoch: str) -> Flight | None:
        """The one that writes what was typed; one that writes anything else is stopped.

        One that still reads goes on reading until there is another, which would read most of that too.
        """
        flight = self._under_way(place.document.uri)
        if flight is None:
            return None
        if flight.serves(place, verdict, epoch):
            flight.is_typed = False
            return flight
        flight.only_reads = True
        if flight.text:
            self.stop(place.document.uri, "superseded")
        return None

    async def landing(self, flight: Flight, ended: asyncio.Future[None]) -> Outcome:
        """What comes of it, or ``superseded`` once ``ended`` is done."""
        outcome = asyncio.ensure_future(self._engine.outcome(flight.job))
        try:
            either: list[asyncio.Future[Any]] = [outcome, ended]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return outcome.result() if outcome.done() else SUPERSEDED
        finally:
            outcome.cancel()

    def changed(self, uri: str, document: Callable[[], Document]) -> None:
        """A document was edited. That stops nothing: a request is answered for the text it was made for.

        Args:
            uri: of the document.
            document: makes what it is now, which is not needed after most edits.
        """
        if (flight := self._under_way(uri)) is not None:
            flight.is_typed = flight.typed_in(document()) is not None

    def stop(self, uri: str, reason: str) -> None:
        """Nobody wants what runs or waits for a document."""
        self._engine.drop(self.key(uri), reason)

    def give_up(self, uri: str, is_asked_again: Callable[[], bool]) -> None:
        """The editor gave a request up; what is being typed goes on for a moment, for the next one."""
        flight = self._under_way(uri)
        if flight is None or not flight.is_typed:
            self.stop(uri, "cancelled")
            return
        flight.only_reads = not flight.text

        def look_again() -> None:
            if not is_asked_again():
                self.stop(uri, "cancelled")

        asyncio.get_running_loop().call_later(GRACE_S, look_again)

    def forget(self, uri: str) -> None:
        """A document was closed."""
        self._flights.pop(uri, None)
        self.stop(uri, "cancelled")

    def _under_way(self, uri: str) -> Flight | None:
        flight = self._flights.get(uri)
        return None if flight is None or flight.is_over else flight
