"""One job on its way through the model: its requests are answered one after the other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple

from lsp_server.backends.base import Backend, FinishReason, GenerationRequest, Report
from lsp_server.completion.item import Timings, Usage
from lsp_server.engine.job import Job, Model, Outcome


class _Answer(NamedTuple):
    """What came of one request.

    Attributes:
        text: as generated.
        reason: why it ended.
        text_at: when the writing of it began, in seconds on the clock; None if it did not.
        usage: its tokens.
    """

    text: str
    reason: FinishReason
    text_at: float | None
    usage: Usage


class Writing:
    """Has a job's requests answered.

    Args:
        job: looked at after each piece, and left with it if nobody wants more.
        backend: runs the model.
        model: what it is asked with; its speed is kept up to date.
        clock: seconds, monotonic; read after each piece.
    """

    def __init__(self, job: Job, backend: Backend, model: Model, clock: Callable[[], float]) -> None:
        self._job = job
        self._backend = backend
        self._model = model
        self._clock = clock

    def outcome(self) -> Outcome:
        """What the job comes to.

        Raises:
            FimLsError: the model failed.
        """
        job, started, answers = self._job, self._clock(), list[_Answer]()
        for request in job.plan(self._model):
            if job.left:
                break
            answers.append(self._answer_or_other(request))
        ended = self._clock()
        prefilled = next((answer.text_at for answer in answers if answer.text_at), ended)
        usage = sum((answer.usage for answer in answers), Usage())
        timings = Timings(
            queue=1000 * (started - job.created),
            prefill=1000 * (prefilled - started),
            decode=1000 * (ended - prefilled),
            total=1000 * (ended - job.created),
        )
        if job.left:
            return Outcome(finish_reason=job.reason, usage=usage, timings=timings)
        texts, reasons = tuple(one.text for one in answers), tuple(one.reason for one in answers)
        return Outcome(texts, reasons, reasons[0] if reasons else FinishReason.STOP, usage, timings)

    def _answer_or_other(self, request: GenerationRequest) -> _Answer:
        """The answer to a request; that of its second try, if the first comes to nothing and it does not."""
        answer = self._answer(request)
        if self._job.left or (again := request.again(answer.text)) is None:
            return answer
        other = self._answer(again)
        better = answer if request.again(other.text) else other
        return better._replace(usage=answer.usage + other.usage, text_at=answer.text_at)

    def _answer(self, request: GenerationRequest) -> _Answer:
        report, begun = Report(), self._clock()
        text, text_at = self._generate(request, report)
        self._measure(report, begun, text_at)
        return _Answer(text, report.finish_reason, text_at, report.usage)

    def _measure(self, report: Report, begun: float, text_at: float | None) -> None:
        """Keep the model's speed up to date."""
        if text_at is not None:
            usage, speed = report.usage, self._model.speed
            speed.took_to_read(usage.prompt_tokens - usage.cached_tokens, text_at - begun)
            if not report.searches:
                speed.took_to_write(usage.completion_tokens - 1, self._clock() - text_at)

    def _generate(self, request: GenerationRequest, report: Report) -> tuple[str, float | None]:
        """One text, and when the writing of it began."""
        job, keep_going, text, text_at = self._job, self._job.keep_going(), "", None
        stopped = False
        with closing(self._backend.generate(request, report)) as pieces:
            for piece in pieces:
                now = self._clock()
                if job.left:
                    break
                if piece or report.searches:  # else a job that only reads would not end with its first token
                    text += piece
                    text_at = text_at or now
                    job.on_text(text)
                    stopped = not keep_going(text)
                    if stopped or job.left:
                        break
        if stopped:
            report.finish_reason = FinishReason.STOP
        return text, text_at
