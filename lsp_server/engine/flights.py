"""What is generated for the documents of one client."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from lsp_server.completion.document import Document, Snapshot
from lsp_server.completion.trigger import Go
from lsp_server.engine.engine import Engine
from lsp_server.engine.flight import SUPERSEDED, Flight
from lsp_server.engine.job import Outcome
from lsp_server.engine.relay import on_this_loop

GRACE_S = 0.3
"""How long a generation that is being typed goes on between a request that was given up and the next."""

OnLanded = Callable[[Flight, Outcome], None]
"""Told what a flight came to, before whoever waits for it."""


class Flights:
    """One generation for each document of a client.

    Args:
        engine: the model.
        on_landed: called on the event loop, whether anybody waits for the flight or not.

    Attributes:
        client: names the client; no other client of the engine has the same name.
    """

    def __init__(self, engine: Engine, on_landed: OnLanded) -> None:
        self.client = secrets.token_hex(4)
        self._engine = engine
        self._on_landed = on_landed
        self._flights: dict[str, Flight] = {}

    def key(self, uri: str) -> str:
        """What the engine knows a document of this client by."""
        return f"{self.client} {uri}"

    def begin(self, flight: Flight) -> Flight:
        """Let the model work on it, in place of what it does for that document."""
        hear_too = flight.job.on_text

        def tell(_text: str) -> None:
            flight.line.set()
            flight.line.clear()

        tell_here = on_this_loop(tell)

        def hear(text: str) -> None:
            if flight.hear(text):
                tell_here(text)
            hear_too(text)

        flight.job.on_text = hear
        self._flights[flight.place.document.uri] = flight
        self._engine.submit(flight.job, partial(self._land, flight))
        return flight

    def _land(self, flight: Flight, outcome: Outcome) -> None:
        flight.outcome = outcome
        for wake in flight.waiting:
            wake()
        self._on_landed(flight, outcome)

    def along(self, place: Snapshot, verdict: Go, epoch: str) -> Flight | None:
        """The one that writes what was typed; one that writes anything else is stopped.

        One that still reads goes on reading until there is another, which would read most of that too.
        """
        flight = self._under_way(place.document.uri)
        if flight is None:
            return None
        if flight.serves(place, verdict, epoch):
            flight.is_typed = flight.only_reads = flight.job.patient = False
            return flight
        flight.only_reads = True
        if flight.text:
            self.stop(place.document.uri, "superseded")
        return None

    async def landing(
        self,
        flight: Flight,
        ended: asyncio.Future[None],
        early: Coroutine[Any, Any, Outcome] | None = None,
    ) -> Outcome:
        """What comes of it; or what ``early`` returns, or ``superseded`` once ``ended`` is done."""
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake(_done: object = None) -> None:
            if not first.done():
                first.set_result(None)

        arrival = None if early is None else asyncio.ensure_future(early)
        if arrival is not None:
            arrival.add_done_callback(wake)
        ended.add_done_callback(wake)
        flight.waiting.add(wake)
        try:
            if flight.outcome is None:
                await first
        finally:
            flight.waiting.discard(wake)
            ended.remove_done_callback(wake)
            if arrival is not None:
                arrival.cancel()
        if flight.outcome is not None:
            return flight.outcome
        return SUPERSEDED if arrival is None or ended.done() else arrival.result()

    async def early(self, flight: Flight, place: Snapshot, wait: Callable[[], Awaitable[None]]) -> Outcome:
        """Its complete lines, as soon as ``wait`` is over and there are some that can be shown at a place."""
        await wait()
        while True:
            outcome = flight.so_far()
            left = None if outcome is None else flight.left_of(outcome, place)
            if outcome is not None and left is not None and left.suggestions:
                flight.show(outcome)
                return outcome
            await flight.line.wait()

    def changed(self, uri: str, document: Callable[[], Document]) -> None:
        """A document was edited. That stops no answer: a request is answered for the text it was made for.

        Args:
            uri: of the document.
            document: makes what it is now, which is not needed after most edits.
        """
        if (flight := self._under_way(uri)) is None:
            return
        now = document()
        flight.is_typed = flight.typed_in(now) is not None
        if flight.leads_here is not None and not flight.is_typed and not flight.may_come_to_be(now):
            self.stop(uri, "superseded")

    def leave_to(self, place: Snapshot) -> None:
        """A request was answered without it: it goes on only if what it writes may still be wanted."""
        flight = self._under_way(place.document.uri)
        if flight is None or flight.is_along(place):
            return
        if not flight.may_come_to_be(place.document, place.offset):
            self.stop(place.document.uri, "superseded")

    def has_model(self, uri: str) -> bool:
        """Whether the model works for no other document, or not at all."""
        return self._engine.is_free_for(self.key(uri))

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
