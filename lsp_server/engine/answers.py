"""What was answered to one client: kept, so that it is not asked for again, and counted."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from lsp_server.completion.acceptance import Statistics, Written
from lsp_server.completion.cache import Answer, CompletionCache
from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Completion
from lsp_server.completion.postprocess import Processed, refit
from lsp_server.completion.rhythm import Rhythm
from lsp_server.completion.trigger import Ask, Go
from lsp_server.engine.flight import ANSWERED, Flight
from lsp_server.engine.job import Outcome

MOST_EXPLAINED = 32


class Answers:
    """The answers of one client.

    Args:
        statistics: told what was written.
        rhythm: told how long it took.
    """

    def __init__(self, statistics: Statistics, rhythm: Rhythm) -> None:
        self._statistics = statistics
        self._rhythm = rhythm
        self._cache = CompletionCache()
        self._last: OrderedDict[str, Completion] = OrderedDict()

    def find(self, place: Snapshot, ask: Ask, verdict: Go, epoch: str) -> tuple[Processed, Written] | None:
        """What can be shown at a place of what was written before, there or where the typing began."""
        answer = self._cache.find(place, multiline=verdict.multiline, epoch=epoch)
        if answer is None or not (answer.complete or ask.candidates == 1):
            return None
        fitted = refit(answer.suggestions, place, multiline=verdict.multiline)
        return replace(fitted, dropped_by=fitted.dropped_by or answer.dropped_by), answer.written

    def keep(self, flight: Flight, outcome: Outcome) -> None:
        """Keep what was written, at the place where that was begun, whether anybody waits for it or not."""
        self._statistics.spent(outcome.usage)
        if outcome.finish_reason not in ANSWERED:
            return
        shown, complete = flight.filtered(outcome), len(outcome.texts) > 1
        if flight.leads_here is None and not complete:
            self._rhythm.answered(flight.first_shown_s or flight.job.age_s)
        self._statistics.ended(flight.written, outcome.usage.completion_tokens)
        answer = Answer(shown.suggestions, complete, shown.dropped_by, flight.written)
        self._cache.store(flight.place, answer, multiline=flight.multiline, epoch=flight.epoch)

    def note(self, uri: str, completion: Completion) -> None:
        """Keep what there is to explain of an answer."""
        self._last[uri] = completion
        self._last.move_to_end(uri)
        if len(self._last) > MOST_EXPLAINED:
            self._last.popitem(last=False)

    def last(self, uri: str) -> Completion | None:
        """The last answer in a document."""
        return self._last.get(uri)

    def forget(self, uri: str) -> None:
        """Drop all of a document."""
        self._last.pop(uri, None)
        self._cache.forget(uri)
