"""From a place in a document to the requests that a model is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lsp_server.backends.base import GenerationRequest, OneLine, SamplingParams, is_visible
from lsp_server.completion.anchor import Anchors
from lsp_server.completion.context import Window, select_window
from lsp_server.completion.document import Snapshot
from lsp_server.completion.elsewhere import lines_elsewhere
from lsp_server.completion.fim import render
from lsp_server.completion.spelled import without_spelled
from lsp_server.engine.job import Model, Plan
from lsp_server.settings import Settings

VARIED_TEMPERATURE = 0.7
"""For every candidate after the first, which would otherwise be the same."""

FOLLOWING_TOKENS = 4
"""More tell no better which line they follow."""
FOLLOWING_CHARACTERS = 100

Note = Callable[[str, str], None]
"""Writes down what a stage did, for ``fim-ls.explain``."""


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
        one_line = None if multiline else _one_line(place, settings, model, note, is_shown)
        first = GenerationRequest(
            prompt.text,
            prompt.ids,
            prompt.healed,
            prompt.stop_ids,
            prompt.stop_strings,
            SamplingParams(longest, settings.temperature, settings.top_p),
            one_line,
        )
        varied = replace(first.sampling, temperature=max(settings.temperature, VARIED_TEMPERATURE))
        return tuple(
            replace(first, sampling=replace(varied, seed=seed), one_line=None) if seed else first
            for seed in range(candidates)
        )

    return plan


def only_read(plan: Plan) -> Plan:
    """The same prompt, behind which nothing is written but the token that ends every reading."""

    def plan_reading(model: Model) -> tuple[GenerationRequest, ...]:
        return tuple(
            replace(request, healed="", sampling=replace(request.sampling, max_new_tokens=1), one_line=None)
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


def _one_line(
    place: Snapshot, settings: Settings, model: Model, note: Note, is_shown: Callable[[str], bool]
) -> OneLine | None:
    """By what a line is to be chosen among several; None where it is not.

    For the rest of a line several are not written: that would gain less, and while one types within a line
    each key may ask anew. But the file may have a line elsewhere that it is likely to be.
    """
    tokenizer, is_whole = model.loaded.tokenizer, not place.line_prefix.strip()
    if not (model.form.weighs_lines and settings.temperature == 0 and tokenizer):
        return None
    elsewhere = lines_elsewhere(place)
    if elsewhere:
        note("elsewhere", f"lines between the same lines: {len(elsewhere)}")
    if not (is_whole or elsewhere):
        return None
    following = tokenizer.encode(place.suffix[:FOLLOWING_CHARACTERS])[:FOLLOWING_TOKENS]
    return OneLine(tuple(following), is_shown, tuple(elsewhere), is_varied=is_whole)


def _described(window: Window) -> str:
    typed = f", {len(window.prompt.typed)} characters typed behind it" if window.prompt.typed else ""
    return f"from line {window.first_line + 1}, about {window.tokens} tokens{typed}"
