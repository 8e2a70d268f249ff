"""Asks a model for what is missing in holes: as an editor would, and without filters."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from lsp_server.backends.base import FinishReason
from lsp_server.completer import Completer
from lsp_server.completion.anchor import Anchors
from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Completion
from lsp_server.completion.trigger import Ask
from lsp_server.engine.engine import Engine
from lsp_server.engine.job import Job
from lsp_server.engine.plan import plan_requests
from lsp_server.errors import ModelError
from lsp_server.evaluation.holes import Hole
from lsp_server.evaluation.scores import Answer
from lsp_server.settings import Settings

Way = Literal["served", "anchored", "raw"]
"""Served is what an editor would be given while one types; anchored is the same in the middle of a session,
after some lines were typed; raw is what the model writes."""

LINES_TYPED = 3
"""Above the cursor line, in the session."""


class Examiner:
    """Asks one model, hole by hole.

    Args:
        engine: the model.
        settings: what a user would have set; what would keep the server silent is not heeded.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = replace(
            settings,
            enabled=True,
            disabled_languages=(),
            disabled_globs=(),
            debounce_ms=0,
            answer_within_ms=0,
        )
        self._anchors = Anchors()
        self._completer = Completer(engine, self._settings)
        # In a session the window follows the speed of the machine, which a score must not.
        fixed = replace(self._settings, context_tokens=self._settings.prompt_tokens("cpu"))
        self._in_session = Completer(engine, fixed, anchors=self._anchors)

    async def ask(self, hole: Hole, way: Way, number: int) -> Answer:
        """The answer for a hole; each ``number`` is a document of its own.

        Raises:
            ModelError: the model could not be loaded, or failed.
        """
        if way == "raw":
            return await self._raw(hole, str(number))
        if way == "anchored":
            await self._anchor(hole.place(str(number)))
            return await self._served(hole, str(number), self._in_session)
        return await self._served(hole, str(number), self._completer)

    async def _anchor(self, place: Snapshot) -> None:
        """Make the prompt of a place some lines earlier, as if all up to the cursor were typed from there."""
        document, begin = place.document, place.document.line_starts[max(0, place.line - LINES_TYPED)]
        earlier = replace(document, text=document.text[:begin] + place.suffix).at_offset(begin)
        plan = plan_requests(
            earlier,
            self._in_session.settings,
            _note_nothing,
            multiline=False,
            candidates=1,
            anchors=self._anchors,
        )
        await self._engine.run(Job(document.uri, lambda model: plan(model)[:0]))

    async def _served(self, hole: Hole, folder: str, completer: Completer) -> Answer:
        place = hole.place(folder)
        completion = await completer.complete(place, Ask())
        completer.forget(place.document.uri)
        if completion.finish_reason == "failed":
            raise ModelError(completion.stages[-1].outcome)
        return Answer(
            _inserted(completion, place.line_suffix),
            completion.finish_reason != FinishReason.LENGTH,
            completion.finish_reason != "skipped",
            completion.dropped_by or completion.finish_reason,
            completion.timings.total,
            completion.usage.completion_tokens,
        )

    async def _raw(self, hole: Hole, folder: str) -> Answer:
        place, multiline = hole.place(folder), hole.kind == "block"
        plan = plan_requests(place, self._settings, _note_nothing, multiline=multiline, candidates=1)
        job = Job(
            folder, plan, lambda: _anything if multiline else _one_line, self._settings.deadline_ms / 1000
        )
        outcome = await self._engine.run(job)
        if outcome.finish_reason == "failed":
            raise ModelError(outcome.error or "The model failed.")
        text = outcome.texts[0] if multiline else outcome.texts[0].partition("\n")[0]
        return Answer(
            text,
            outcome.finish_reason != FinishReason.LENGTH,
            reason=outcome.finish_reason,
            milliseconds=outcome.timings.total,
            tokens=outcome.usage.completion_tokens,
        )


def _inserted(completion: Completion, line_suffix: str) -> str:
    """The suggestion without the part of the cursor line that it takes the place of."""
    if not completion.suggestions:
        return ""
    best = completion.suggestions[0]
    return best.text.removesuffix(line_suffix[: best.replaces])


def _note_nothing(_stage: str, _outcome: str) -> None:
    pass


def _anything(_text: str) -> bool:
    return True


def _one_line(text: str) -> bool:
    return "\n" not in text
