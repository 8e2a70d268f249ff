"""The whole journey of a completion: ``Completer._travel`` is the map of it."""

from __future__ import annotations

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress

from lsp_server.backends.base import FinishReason
from lsp_server.completion.acceptance import Statistics
from lsp_server.completion.cache import Answer, CompletionCache
from lsp_server.completion.document import Document, Snapshot
from lsp_server.completion.draft import Draft
from lsp_server.completion.instruct import Task
from lsp_server.completion.item import Completion, Suggestion
from lsp_server.completion.postprocess import PLACE_FILTERS, FilterContext, postprocess
from lsp_server.completion.selected import as_if_selected, spelling_selected
from lsp_server.completion.stops import keep_going
from lsp_server.completion.trigger import Ask, Go, Skip, decide
from lsp_server.engine.engine import MODEL_SETTINGS, Engine, Listener, same_model
from lsp_server.engine.flight import SUPERSEDED, Flight, Flights
from lsp_server.engine.instruct import carry_out
from lsp_server.engine.job import Job, OnText, Outcome, State, Status
from lsp_server.engine.plan import plan_requests
from lsp_server.engine.trip import Trip
from lsp_server.settings import AUTO_DEBOUNCE_MS, Settings

MOST_EXPLAINED = 32

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
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.settings = settings
        self.statistics = Statistics()
        self._engine = engine
        self._sleep = sleep
        self._cache = CompletionCache()
        self._newest: dict[str, Trip] = {}
        self._flights = Flights(engine)
        self._instructed: object = None
        self._last: OrderedDict[str, Completion] = OrderedDict()
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
        if (answer := self._remembered(place, ask, verdict)) is not None:
            texts = [suggestion.text for suggestion in answer.suggestions]
            context = FilterContext(place, verdict.multiline, FinishReason.STOP)
            fitted = postprocess(texts, context, PLACE_FILTERS)
            trip.stages.extend(fitted.stages)
            return self._arrive(trip, "cached", fitted.suggestions, fitted.dropped_by)
        flight = self._flights.along(place, verdict, self._epoch) if not ask.invoked else None
        if flight is None:
            if verdict.unwelcome is not None:
                return self._arrive(trip, "skipped", dropped_by=verdict.unwelcome)
            if not ask.invoked:
                await self._sleep(self._debounce_s)
            if self._is_newest(trip):
                job = self._job(place, verdict, trip, on_draft)
                flight = self._flights.begin(Flight(place, verdict.multiline, self._epoch, job))
        outcome = await self._flights.landing(flight, trip.ended) if flight else SUPERSEDED
        trip.usage, trip.timings = outcome.usage, outcome.timings
        if flight is None or outcome.finish_reason not in (FinishReason.STOP, FinishReason.LENGTH):
            return self._arrive(trip, outcome.finish_reason, error=outcome.error)
        left = flight.left_of(outcome, place)
        if left is None:  # all of it was typed meanwhile
            return await self._travel(trip, on_draft)
        context = FilterContext(place, flight.multiline, outcome.finish_reason)
        processed = postprocess(left.texts, context, reasons=left.reasons)
        trip.stages.extend(processed.stages)
        self._remember(place, ask, verdict, processed.suggestions)
        if processed.suggestions:
            self.statistics.tokens_given += outcome.usage.completion_tokens
        return self._arrive(trip, outcome.finish_reason, processed.suggestions, processed.dropped_by)

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
            _on_this_loop(on_text),
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
        return self._last.get(uri)

    def forget(self, uri: str) -> None:
        """The document was closed: stop what runs for it, drop what is kept of it."""
        if (trip := self._newest.pop(uri, None)) is not None:
            trip.end()
        self._last.pop(uri, None)
        self._cache.forget(uri)
        self._flights.forget(uri)

    def changed(self, uri: str, document: Callable[[], Document]) -> None:
        """A document was edited; if to what the model writes, the next request may want the rest."""
        self._flights.changed(uri, document)

    def shown(self, completion_id: str) -> None:
        """The editor drew this completion."""
        self.statistics.shown += bool(completion_id)

    def accepted(self, completion_id: str) -> None:
        """The user took this completion."""
        self.statistics.accepted += bool(completion_id)

    def partially_accepted(self, completion_id: str, characters: int) -> None:
        """The user took the first UTF-16 units of this completion; the number is cumulative."""
        if completion_id:
            self.statistics.took(completion_id, characters)

    @property
    def status(self) -> Status:
        """What the model is doing, as this client is to see it."""
        return self._engine.status if self.settings.enabled else Status(State.OFF)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` the present status and each new one, on this loop; returns how to stop that."""
        loop = asyncio.get_running_loop()

        def relay(_status: Status) -> None:
            with suppress(RuntimeError):  # the loop may have been closed meanwhile
                loop.call_soon_threadsafe(lambda: listener(self.status))

        listener(self.status)
        return self._engine.subscribe(relay)

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

    @property
    def _debounce_s(self) -> float:
        chosen = self.settings.debounce_ms
        return (AUTO_DEBOUNCE_MS if chosen == "auto" else chosen) / 1000

    @property
    def _epoch(self) -> str:
        """All but the text that an answer depends on; an engine is known by what it was loaded from."""
        names = (*MODEL_SETTINGS, "multiline", "temperature", "top_p")
        return repr([getattr(self.settings, name) for name in names])

    def _set_out(self, snapshot: Snapshot, ask: Ask) -> Trip:
        """Begin a journey; the one that was under way for this document ends."""
        trip, uri = Trip(snapshot, ask), snapshot.document.uri
        if uri in self._newest:
            self._newest[uri].end()
        self._newest[uri] = trip
        return trip

    def _is_newest(self, trip: Trip) -> bool:
        return self._newest.get(trip.snapshot.document.uri) is trip

    def _remembered(self, place: Snapshot, ask: Ask, verdict: Go) -> Answer | None:
        answer = self._cache.find(place, multiline=verdict.multiline, epoch=self._epoch)
        return answer if answer is None or answer.complete or ask.candidates == 1 else None

    def _remember(self, place: Snapshot, ask: Ask, verdict: Go, suggestions: tuple[Suggestion, ...]) -> None:
        answer = Answer(suggestions, complete=ask.candidates > 1)
        self._cache.store(place, answer, multiline=verdict.multiline, epoch=self._epoch)

    def _job(self, place: Snapshot, verdict: Go, trip: Trip, on_draft: OnDraft | None) -> Job:
        context = FilterContext(place, verdict.multiline, "")
        plan = plan_requests(
            place, self.settings, trip.note, multiline=verdict.multiline, candidates=trip.ask.candidates
        )
        job = Job(
            self._flights.key(place.document.uri),
            plan,
            lambda: keep_going(context),
            self.settings.deadline_ms / 1000,
        )
        if on_draft is not None:
            job.on_text = _on_this_loop(lambda text: on_draft(Draft(text, context)))
        # A job that nobody waits for any more has cost something too.
        job.future.add_done_callback(lambda done: self.statistics.spent(done.result().usage))
        return job

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
        if reason in ("skipped", "cached"):
            self._flights.stop(uri, "superseded")
        if reason != "superseded":
            self._last[uri] = completion
            self._last.move_to_end(uri)
            if len(self._last) > MOST_EXPLAINED:
                self._last.popitem(last=False)
        return completion


def _on_this_loop(on_text: OnText) -> OnText:
    """Calls ``on_text`` on the running loop, from whatever thread it is called."""
    loop = asyncio.get_running_loop()

    def relay(text: str) -> None:
        with suppress(RuntimeError):  # the loop may have been closed meanwhile
            loop.call_soon_threadsafe(on_text, text)

    return relay
