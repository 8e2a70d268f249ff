"""The whole journey of a completion: ``Completer._travel`` is the map of it."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from lsp_server.completion.acceptance import Statistics, Written
from lsp_server.completion.anchor import Anchors
from lsp_server.completion.document import Document, Snapshot
from lsp_server.completion.draft import Draft
from lsp_server.completion.instruct import Task
from lsp_server.completion.item import Completion, Suggestion
from lsp_server.completion.postprocess import FilterContext, Processed
from lsp_server.completion.rhythm import Rhythm
from lsp_server.completion.selected import as_if_accepted, as_if_selected, spelling_selected
from lsp_server.completion.stops import keep_going
from lsp_server.completion.trigger import Ask, Go, Skip, decide
from lsp_server.engine.ahead import Ahead
from lsp_server.engine.answers import Answers
from lsp_server.engine.engine import MODEL_SETTINGS, Engine, Listener, same_model
from lsp_server.engine.flight import ANSWERED, LOST, SUPERSEDED, Flight
from lsp_server.engine.flights import Flights
from lsp_server.engine.instruct import carry_out
from lsp_server.engine.job import Job, OnText, Outcome, State, Status
from lsp_server.engine.plan import only_read, plan_requests
from lsp_server.engine.relay import on_this_loop
from lsp_server.engine.trip import Trip
from lsp_server.settings import Settings

OnDraft = Callable[[Draft], None]
"""Told what there is of a suggestion, after each piece of a candidate; called on the event loop."""

INSTRUCTION = "fim-ls:instruction"
"""Stands for a document's URI where tasks, of which there is one at a time, wait for the model."""


class Completer:
    """Completes documents for one client.

    Args:
        engine: the model, which other clients may use too.
        settings: what holds for this client.
        sleep: waits for some seconds; tests put their own here.
        anchors: keep the prompts of an editing session as they are. Without them each prompt is made as if it
            were the first, and no budget follows the speed of the machine.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        anchors: Anchors | None = None,
    ) -> None:
        self.settings = settings
        self.statistics = Statistics()
        self._engine = engine
        self._sleep = sleep
        self._rhythm = Rhythm()
        self._answers = Answers(self.statistics, self._rhythm)
        self._newest: dict[str, Trip] = {}
        self._flights = Flights(engine, self._answers.keep)
        self._ahead = Ahead(engine, sleep)
        self._anchors = anchors
        self._instructed: object = None
        self._ids = itertools.count(1)
        self._started = False

    async def complete(self, snapshot: Snapshot, ask: Ask, on_draft: OnDraft | None = None) -> Completion:
        """What to suggest at the cursor; cancelling the task stops the model at its next token.

        It goes on for a moment if the document was just changed to what it writes.
        """
        trip = self._set_out(snapshot, ask)
        try:
            return await self._travel(trip, on_draft)
        except asyncio.CancelledError:
            if self._is_newest(trip):
                uri = snapshot.document.uri
                self._flights.give_up(uri, is_asked_again=lambda: not self._is_newest(trip))
            raise

    async def _travel(self, trip: Trip, on_draft: OnDraft | None) -> Completion:
        ask, verdict = trip.ask, decide(trip.snapshot, trip.ask, self.settings)
        if isinstance(verdict, Skip):
            return self._arrive(trip, "skipped", dropped_by=verdict.rule)
        trip.note("trigger", "block" if verdict.multiline else "one line")
        place = as_if_selected(trip.snapshot, ask)
        if (known := self._answers.find(place, ask, verdict, self._epoch)) is not None:
            self._flights.leave_to(place)
            return self._give(trip, place, "cached", *known)
        flight = self._flights.along(place, verdict, self._epoch) if not ask.invoked else None
        if flight is None and verdict.unwelcome is not None:
            self._ahead.watch(place.document.uri, lambda: self._read_ahead(place))
            return self._arrive(trip, "skipped", dropped_by=verdict.unwelcome)
        flight = flight or await self._depart(trip, place, verdict, on_draft)
        early = self._early(trip, flight, place) if flight else None
        outcome = await self._flights.landing(flight, trip.ended, early) if flight else SUPERSEDED
        trip.usage, trip.timings = outcome.usage, outcome.timings
        is_answered = outcome.finish_reason in ANSWERED
        if flight and is_answered and (left := flight.left_of(outcome, place)) is not None:
            return self._give(trip, place, outcome.finish_reason, left, flight.written)
        if (is_answered or outcome.finish_reason in LOST) and self._is_newest(trip):
            return await self._travel(trip, on_draft)  # all of it was typed meanwhile, or it gave way
        reason = SUPERSEDED.finish_reason if is_answered else outcome.finish_reason
        return self._arrive(trip, reason, error=outcome.error)

    async def _depart(
        self, trip: Trip, place: Snapshot, verdict: Go, on_draft: OnDraft | None
    ) -> Flight | None:
        """Have the model asked once typing rests; None if a newer request came meanwhile."""
        if not trip.ask.invoked:
            await self._sleep(self._debounce_s(place))
        if not self._is_newest(trip):
            return None
        job = self._job(place, verdict, trip, on_draft)
        return self._flights.begin(Flight(place, verdict.multiline, self._epoch, job))

    async def instruct(self, task: Task, on_text: OnText) -> Outcome:
        """Have an instruction-tuned model carry out a task, behind all completions; the newest wins.

        Args:
            task: what to do.
            on_text: told the answer so far; called on the event loop.
        """
        mark = self._instructed = object()
        return await carry_out(
            self._engine,
            self._flights.key(INSTRUCTION),
            task,
            on_this_loop(on_text),
            deadline_s=self.settings.deadline_ms / 1000,
            is_wanted=lambda: self._instructed is mark,
        )

    def configure(self, settings: Settings) -> None:
        """Take over changed settings; the model is loaded anew only if it is another one."""
        changed = not same_model(self.settings, settings)
        self.settings = settings
        if changed:  # other clients share the engine: what this one does not change it must not reset
            self._engine.configure(settings)
        if self._started and settings.enabled:
            self._engine.start()

    def explain(self, uri: str) -> Completion | None:
        """The last completion of a document, with what each stage did."""
        return self._answers.last(uri)

    def forget(self, uri: str) -> None:
        """The document was closed: stop what runs for it, drop what is kept of it."""
        self._ahead.disturb(uri)
        if (trip := self._newest.pop(uri, None)) is not None:
            trip.end()
        self._answers.forget(uri)
        self._flights.forget(uri)
        if self._anchors is not None:
            self._anchors.forget(uri)

    def changed(self, uri: str, document: Callable[[], Document], *, is_key: bool = False) -> None:
        """A document was edited; if to what the model writes, the next request may want the rest.

        Args:
            uri: of the document.
            document: makes what it is now.
            is_key: whether the edit is what one key does.
        """
        if is_key:
            self._rhythm.pressed(time.monotonic())
        self._ahead.disturb(uri)
        self._flights.changed(uri, document)

    def rests_at(self, place: Snapshot) -> None:
        """The cursor was moved somewhere: what stands there is read before anything is asked."""
        trip = self._newest.get(place.document.uri)
        was_asked = trip is not None and trip.snapshot == place
        if not was_asked and not isinstance(decide(place, Ask(), self.settings), Skip):
            self._ahead.watch(place.document.uri, lambda: self._read_ahead(place))

    @property
    def status(self) -> Status:
        """What the model is doing, as this client is to see it."""
        return self._engine.status if self.settings.enabled else Status(State.OFF)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` the present status and each new one, on this loop; returns how to stop that."""
        listener(self.status)
        return self._engine.subscribe(on_this_loop(lambda _status: listener(self.status)))

    async def start(self) -> None:
        """Begin to load the model, unless suggestions are switched off."""
        self._started = True
        if self.settings.enabled:
            self._engine.start()

    async def stop(self) -> None:
        """Stop the work of this client; the engine goes on for the others."""
        for uri in tuple(self._newest):
            self.forget(uri)
        self._instructed = None
        self._flights.stop(INSTRUCTION, "cancelled")

    def _debounce_s(self, place: Snapshot) -> float:
        if self.settings.debounce_ms != "auto":
            return self.settings.debounce_ms / 1000
        return self._rhythm.wait_s(is_free=self._flights.has_model(place.document.uri))

    @property
    def _epoch(self) -> str:
        """All but the text that an answer depends on; an engine is known by what it was loaded from."""
        names = (*MODEL_SETTINGS, "multiline", "temperature", "top_p")
        return repr([getattr(self.settings, name) for name in names])

    def _set_out(self, snapshot: Snapshot, ask: Ask) -> Trip:
        """Begin a journey; the one that was under way for this document ends."""
        trip, uri = Trip(snapshot, ask), snapshot.document.uri
        self._ahead.disturb(uri)
        if uri in self._newest:
            self._newest[uri].end()
        self._newest[uri] = trip
        return trip

    def _is_newest(self, trip: Trip) -> bool:
        return self._newest.get(trip.snapshot.document.uri) is trip

    def _early(self, trip: Trip, flight: Flight, place: Snapshot) -> Coroutine[Any, Any, Outcome] | None:
        """What of a block is there by the time that an answer is due; None if all of it is waited for."""
        within_s = self.settings.answer_within_ms / 1000
        if not within_s or not flight.multiline or trip.ask.invoked:
            return None
        return self._flights.early(flight, place, lambda: self._sleep(max(0.0, within_s - trip.age_s)))

    def _look_ahead(self, place: Snapshot, suggestion: Suggestion) -> None:
        """Ask for what would be asked for if a suggestion were accepted, behind everything else."""
        future = as_if_accepted(place, suggestion)
        verdict = decide(future, Ask(), self.settings)
        if isinstance(verdict, Skip) or verdict.unwelcome is not None:
            return
        if self._answers.find(future, Ask(), verdict, self._epoch) is None:
            job = self._job(future, verdict, Trip(future, Ask()), None)
            job.patient = True
            self._flights.begin(Flight(future, verdict.multiline, self._epoch, job, (place, suggestion)))

    def _read_ahead(self, place: Snapshot) -> None:
        """Have the prompt of a place read, behind everything else."""
        job = self._job(place, Go(multiline=False), Trip(place, Ask()), None)
        job.patient, job.plan = True, only_read(job.plan)
        self._engine.submit(job, lambda outcome: self.statistics.spent(outcome.usage))

    def _job(self, place: Snapshot, verdict: Go, trip: Trip, on_draft: OnDraft | None) -> Job:
        context = FilterContext(place, verdict.multiline, "")
        plan = plan_requests(
            place,
            self.settings,
            trip.note,
            multiline=verdict.multiline,
            candidates=trip.ask.candidates,
            anchors=self._anchors,
            is_shown=lambda text: Draft(text, context).suggestion is not None,
        )
        key, deadline_s = self._flights.key(place.document.uri), self.settings.deadline_ms / 1000
        job = Job(key, plan, lambda: keep_going(context), deadline_s)
        if on_draft is not None:
            job.on_text = on_this_loop(lambda text: on_draft(Draft(text, context)))
        return job

    def _give(
        self, trip: Trip, place: Snapshot, reason: str, processed: Processed, written: Written
    ) -> Completion:
        """End a journey with what is left of an answer."""
        trip.stages.extend(processed.stages)
        if processed.suggestions:
            self.statistics.gave(written)
            first = processed.suggestions[0]
            self._ahead.watch(place.document.uri, lambda: self._look_ahead(place, first))
        return self._arrive(trip, reason, processed.suggestions, processed.dropped_by)

    def _arrive(
        self,
        trip: Trip,
        reason: str,
        suggestions: tuple[Suggestion, ...] = (),
        dropped_by: str | None = None,
        error: str | None = None,
    ) -> Completion:
        """End a journey, and keep what there is to explain."""
        fitted = tuple(spelling_selected(suggestion, trip.ask) for suggestion in suggestions)
        completion = trip.arrive(
            f"{self._flights.client}-{next(self._ids)}", reason, fitted, dropped_by, error
        )
        uri = trip.snapshot.document.uri
        if reason == "skipped":
            self._flights.stop(uri, "superseded")
        if reason != "superseded":
            self._answers.note(uri, completion)
        return completion
