"""From a place in a document to the requests that a model is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lsp_server.backends.base import GenerationRequest, SamplingParams
from lsp_server.completion.context import select_window
from lsp_server.completion.document import Snapshot
from lsp_server.completion.fim import render
from lsp_server.completion.spelled import without_spelled
from lsp_server.engine.job import Model, Plan
from lsp_server.settings import Settings

VARIED_TEMPERATURE = 0.7
"""For every candidate after the first, which would otherwise be the same."""

Note = Callable[[str, str], None]
"""Writes down what a stage did, for ``fim-ls.explain``."""


def plan_requests(
    place: Snapshot, settings: Settings, note: Note, *, multiline: bool, candidates: int
) -> Plan:
    """How to make the prompt once the model is known; one request for each candidate.

    Args:
        place: where to complete.
        settings: the budgets, and how tokens are chosen.
        note: called on the worker's thread.
        multiline: whether a block is wanted; one line gets half of its tokens.
        candidates: how many.
    """

    def plan(model: Model) -> tuple[GenerationRequest, ...]:
        longest = settings.max_new_tokens if multiline else max(1, settings.max_new_tokens // 2)
        longest = min(longest, model.loaded.context_tokens // 2)
        budget = min(settings.prompt_tokens(model.loaded.device), model.loaded.context_tokens - longest)
        window = select_window(place, model.form, budget, model.count)
        note("context", f"from line {window.first_line + 1}, about {window.tokens} tokens")
        shown = window.prompt
        if model.loaded.tokenizer is None:  # the prompt is sent as text
            shown = without_spelled(shown, model.form)
        prompt = render(shown, model.form, model.loaded.tokenizer, heal=model.loaded.heals)
        note("prompt", f"{model.form.name} ({prompt.order}), {len(prompt.healed)} characters healed")
        first = GenerationRequest(
            prompt.text,
            prompt.ids,
            prompt.healed,
            prompt.stop_ids,
            prompt.stop_strings,
            SamplingParams(longest, settings.temperature, settings.top_p),
        )
        varied = max(settings.temperature, VARIED_TEMPERATURE)
        return tuple(
            replace(first, sampling=replace(first.sampling, temperature=varied, seed=seed)) if seed else first
            for seed in range(candidates)
        )

    return plan
