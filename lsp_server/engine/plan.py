"""From a place in a document to the requests that a model is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lsp_server.backends.base import GenerationRequest, SamplingParams, is_visible
from lsp_server.completion.anchor import Anchors
from lsp_server.completion.context import Window, select_window
from lsp_server.completion.document import Snapshot
from lsp_server.completion.fim import render
from lsp_server.completion.spelled import without_spelled
from lsp_server.engine.job import Model, Note, Plan
from lsp_server.engine.lines import as_one_line
from lsp_server.settings import Settings

VARIED_TEMPERATURE = 0.7
"""For every candidate after the first, which would otherwise be the same."""


def plan_requests(
    place: Snapshot,
    settings: Settings,
    note: Note,
    *,
    multiline: bool,
    candidates: int,
    anchors: Anchors | None = None,
    is_shown: Callable[[str], bool] = is_visible,
) -> Plan:
    """How to make the prompt once the model is known; one request for each candidate.

    Args:
        place: where to complete.
        settings: the budgets, and how tokens are chosen.
        note: called on the worker's thread.
        multiline: whether a block is wanted; one line gets half of its tokens.
        candidates: how many.
        anchors: of the editing session; without one each prompt is made as if it were the first.
        is_shown: whether the filters leave anything of a text.
    """
    window_at = select_window if anchors is None else anchors.window

    def plan(model: Model) -> tuple[GenerationRequest, ...]:
        longest = settings.max_new_tokens if multiline else max(1, settings.max_new_tokens // 2)
        budget, longest = _tokens(longest, settings, model, is_waited_for=anchors is not None)
        window = window_at(place, model.form, budget, model.count)
        note("context", _described(window))
        shown = window.prompt
        if model.loaded.tokenizer is None:  # the prompt is sent as text
            shown = without_spelled(shown, model.form)
        prompt = render(shown, model.form, model.loaded.tokenizer, heal=model.loaded.heals)
        note("prompt", f"{model.form.name} ({prompt.order}), {len(prompt.healed)} characters healed")
        likeliest = GenerationRequest(
            prompt.text,
            prompt.ids,
            prompt.healed,
            prompt.stop_ids,
            prompt.stop_strings,
            SamplingParams(longest, settings.temperature, settings.top_p),
        )
        varied = replace(likeliest.sampling, temperature=max(settings.temperature, VARIED_TEMPERATURE))
        others = (replace(likeliest, sampling=replace(varied, seed=seed)) for seed in range(1, candidates))
        first = likeliest if multiline else as_one_line(likeliest, place, model, note, is_shown)
        return (first, *others)

    return plan


def only_read(plan: Plan) -> Plan:
    """The same prompt, behind which nothing is written but the token that ends every reading."""

    def plan_reading(model: Model) -> tuple[GenerationRequest, ...]:
        return tuple(
            replace(
                request,
                healed="",
                sampling=replace(request.sampling, max_new_tokens=1),
                one_line=None,
                second_try=None,
            )
            for request in plan(model)[:1]
        )

    return plan_reading


def _tokens(longest: int, settings: Settings, model: Model, *, is_waited_for: bool) -> tuple[int, int]:
    """The budgets of a prompt and of its answer; what a user waits for keeps to the speed of the model."""
    budget = settings.prompt_tokens(model.loaded.device)
    if is_waited_for:
        longest = model.speed.new_tokens(longest)
        if settings.context_tokens == "auto" and model.loaded.device == "cpu":
            budget = model.speed.window_tokens
    longest = min(longest, model.loaded.context_tokens // 2)
    return min(budget, model.loaded.context_tokens - longest), longest


def _described(window: Window) -> str:
    typed = f", {len(window.prompt.typed)} characters typed behind it" if window.prompt.typed else ""
    return f"from line {window.first_line + 1}, about {window.tokens} tokens{typed}"
