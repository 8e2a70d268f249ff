"""Strip what a chatty model puts around the code: its thoughts, fences, the line it was given."""

from __future__ import annotations

import re
from dataclasses import replace

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import FilterContext
from lsp_server.completion.text import has_word, is_fence_foreign

_THOUGHT = re.compile(r"\s*<think>.*?(?:</think>\s*|\Z)", re.DOTALL)
_OPENING_FENCE = re.compile(r"\s*```[^\n]*(?:\n|\Z)")
_FENCE = re.compile(r"^```", re.MULTILINE)


def strip_prompt_echo(suggestion: Suggestion, context: FilterContext) -> Suggestion:
    """Keep the code alone: no thoughts, nothing outside the first fence, the cursor line not said again."""
    text = _after(_THOUGHT, suggestion.text)
    if is_fence_foreign(context.snapshot.document):
        text = _after(_OPENING_FENCE, text)
        fence = _FENCE.search(text)
        text = text[: fence.start()] if fence else text
    return replace(suggestion, text=_without_echo(text, context.snapshot.line_prefix))


def _after(lead: re.Pattern[str], text: str) -> str:
    found = lead.match(text)
    return text[found.end() :] if found else text


def _without_echo(text: str, line_prefix: str) -> str:
    """The text without the cursor line at its start; short or wordless lines are repeated on purpose."""
    line = line_prefix.strip()
    said = text.lstrip(" \t")
    if len(line) < 4 or not has_word(line) or not said.startswith(line):
        return text
    rest = said[len(line) :]
    if line[-1].isalnum() and rest[:1].isalnum():
        return text
    return rest.lstrip(" \t") if line_prefix[-1].isspace() else rest
