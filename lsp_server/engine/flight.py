"""One generation, and what is typed meanwhile of what it writes.

A generation belongs to its document, and not to the request that it was begun for: while the user types what
it writes it goes on, and the next request gets what is left of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from lsp_server.backends.base import FinishReason
from lsp_server.completion.acceptance import Written
from lsp_server.completion.cache import Answer
from lsp_server.completion.document import Document, Snapshot
from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess import FilterContext, Processed, postprocess, refit
from lsp_server.completion.trigger import Go
from lsp_server.engine.job import YIELDED, Job, Outcome

PARTIAL = "partial"
"""Why there is an answer while its generation still goes on."""
ANSWERED = frozenset({FinishReason.STOP, FinishReason.LENGTH, PARTIAL})
"""The finish reasons of outcomes that have texts."""
LOST = frozenset({"superseded", YIELDED})
"""Those of one that gave way to another job."""
SUPERSEDED = Outcome(finish_reason="superseded")


@dataclass(eq=False)
class Flight:
    """A job that may go on while the user types what it writes.

    Attributes:
        place: where it writes.
        multiline: whether it may write a block.
        epoch: all but the text that its answer depends on.
        job: what the model works on.
        leads_here: where the user was when it was begun, if not at its place, and the suggestion that leads
            from there to here.
        text: what it has written so far; set on the worker's thread.
        is_typed: whether there was an edit since a request came for it, and only of what it writes.
        only_reads: whether it is to end with its first token: nobody wants more of it than that its prompt,
            most of which the next one has too, is read.
        written: what it writes, for the statistics.
        first_shown_s: how long after it was asked for a part of it was shown, in seconds; None for no part.
        line: set, for a moment, when another line is complete.
        outcome: what came of it; None until that is told.
        waiting: called when it is.
    """

    place: Snapshot
    multiline: bool
    epoch: str
    job: Job
    leads_here: tuple[Snapshot, Suggestion] | None = None
    text: str = ""
    is_typed: bool = False
    only_reads: bool = False
    written: Written = field(default_factory=Written)
    first_shown_s: float | None = None
    line: asyncio.Event = field(default_factory=asyncio.Event)
    outcome: Outcome | None = None
    waiting: set[Callable[[], None]] = field(default_factory=set)
    _shown: tuple[str, int] = ("", 0)
    _last: tuple[Outcome, Processed] | None = None

    def hear(self, text: str) -> bool:
        """Take in what was written so far, on the worker's thread; whether a line is complete since."""
        has_line = "\n" in text[len(self.text) :]
        self.text = text
        if self.only_reads:
            self.job.leave("superseded")
        return has_line

    @property
    def is_over(self) -> bool:
        """Whether its answer is there, or will never be."""
        return self.job.left or self.job.future.done()

    def serves(self, place: Snapshot, verdict: Go, epoch: str) -> bool:
        """Whether it writes what would be asked for at a place, and has begun to if that is not its own."""
        if self.epoch != epoch or (verdict.multiline and not self.multiline):
            return False
        return self.is_along(place)

    def is_along(self, place: Snapshot) -> bool:
        """Whether a place is where it writes, or where one is who has typed the beginning of that."""
        typed = self.typed_in(place.document)
        if typed is None or place.offset != self.place.offset + len(typed):
            return False
        return not typed or bool(self.text)

    def typed_in(self, document: Document) -> str | None:
        """What was typed of what it writes; None if the document was changed in any other way.

        As long as it has written nothing, whatever is typed at its place may become that.
        """
        typed = self.place.typed_in(document)
        return typed if typed is not None and (not self.text or self._writes(typed)) else None

    def may_come_to_be(self, document: Document, offset: int | None = None) -> bool:
        """Whether a document, and a cursor in it, is on the way here: the suggestion is being typed."""
        if self.leads_here is None:
            return False
        start, suggestion = self.leads_here
        typed = start.typed_in(document)
        if typed is None or not suggestion.text.startswith(typed):
            return False
        return offset in (None, start.offset + len(typed))

    def so_far(self) -> Outcome | None:
        """Its complete lines; None while there is none that has anything in it."""
        lines = self.text[: self.text.rfind("\n") + 1]
        return Outcome((lines,), (FinishReason.LENGTH,), PARTIAL) if lines.strip() else None

    def filtered(self, outcome: Outcome) -> Processed:
        """What can be shown of an outcome of it, at its own place."""
        if self._last is None or self._last[0] is not outcome:
            context = FilterContext(self.place, self.multiline, outcome.finish_reason)
            self._last = outcome, postprocess(outcome.texts, context, reasons=outcome.reasons)
        return self._last[1]

    def left_of(self, outcome: Outcome, place: Snapshot) -> Processed | None:
        """What can be shown of an outcome of it at a place that it serves; None if all of it was typed.

        Of several candidates those are left that begin with what was typed, whichever that was.
        """
        whole = self.filtered(outcome)
        typed = self.place.typed_in(place.document)
        if not typed:
            return None if typed is None else whole
        left = Answer(whole.suggestions).rest(typed)
        return None if left is None else refit(left.suggestions, place, multiline=self.multiline)

    def show(self, early: Outcome) -> None:
        """An answer was given early: the filters may have changed the text that the user will type now."""
        self.first_shown_s = self.first_shown_s or self.job.age_s
        shown = self.filtered(early).suggestions[0].text
        if not self.text.startswith(shown):
            self._shown = shown, len(early.texts[0]) - 1

    def _writes(self, typed: str) -> bool:
        """Whether a text is the beginning of what it has written, or all of that, as it was shown or not."""
        shown, length = self._shown
        if not shown or self.text.startswith(typed):
            return self.text.startswith(typed)
        return shown[: len(typed)] == typed[: len(shown)] and self.text[length:].startswith(
            typed[len(shown) :]
        )
