"""Instructions, behind all completions: when one comes, the answer is left and later gone on with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lsp_server.backends.base import GenerationRequest, SamplingParams
from lsp_server.completion.instruct import Task, fit, render_instruct
from lsp_server.engine.engine import Engine
from lsp_server.engine.job import YIELDED, Job, Model, OnText, Outcome, Plan
from lsp_server.errors import BackendError

MOST_NEW_TOKENS = 512
MOST_INPUT_TOKENS = 2048
"""Of code: whoever asks for an explanation waits longer than whoever types, but not for ever."""


async def carry_out(
    engine: Engine, key: str, task: Task, on_text: OnText, *, deadline_s: float, is_wanted: Callable[[], bool]
) -> Outcome:
    """Have the model carry out a task; a newer task of the same key takes its place.

    Args:
        engine: the model.
        key: what tasks replace each other.
        task: what to do.
        on_text: told the answer so far; called on the worker's thread.
        deadline_s: how long the model may stay silent, in seconds.
        is_wanted: asked before the answer is gone on with; there may be a newer task by then.

    Returns:
        The outcome, with the answer as its one text; ``failed`` for a model that was not tuned on
        instructions.
    """
    answer = _Answer(on_text)
    while True:
        job = Job(key, _plan(task, answer.text), deadline_s=deadline_s, on_text=answer.go_on, patient=True)
        outcome = await engine.run(job)
        if outcome.finish_reason != YIELDED:
            return replace(outcome, texts=(answer.text,))
        if not is_wanted():
            return replace(outcome, finish_reason="superseded")
        answer.keep()


class _Answer:
    """An answer that is written in one or more turns."""

    def __init__(self, on_text: OnText) -> None:
        self.text = ""
        self._kept = ""
        self._on_text = on_text

    def go_on(self, turn: str) -> None:
        """Take all text of the present turn."""
        self.text = self._kept + turn
        self._on_text(self.text)

    def keep(self) -> None:
        """Begin another turn."""
        self._kept = self.text


def _plan(task: Task, written: str) -> Plan:
    """How to ask for the rest of an answer once the model is known."""

    def plan(model: Model) -> tuple[GenerationRequest, ...]:
        if model.instruct is None:
            message = f"{model.loaded.name} was not tuned on instructions, so it cannot follow any."
            raise BackendError(message)
        longest = min(MOST_NEW_TOKENS, model.loaded.context_tokens // 2)
        frame = model.count(model.instruct.fill(task.instruction, ""))
        budget = min(MOST_INPUT_TOKENS, model.loaded.context_tokens - longest - frame)
        given = fit(task, budget, model.count)
        if given is None:
            message = f"The selection is too long: {model.loaded.name} can be given about {budget} tokens."
            raise BackendError(message)
        prompt = render_instruct(task.instruction, given, model.instruct, model.loaded.tokenizer, written)
        left = longest - (model.count(written) if written else 0)
        request = GenerationRequest(
            prompt.text,
            prompt.ids,
            stop_ids=prompt.stop_ids,
            stop_strings=prompt.stop_strings,
            sampling=SamplingParams(left),
        )
        return (request,) if left > 0 else ()

    return plan
