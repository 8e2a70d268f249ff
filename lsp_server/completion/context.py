"""Which part of the file the model sees, in whole lines and under a token budget.

Only of the cursor's own line may a part be left out, on either side, where all of it does not fit.

The window begins at a line whose number is a multiple of ``STEP_LINES``: it stays where it is while one
types, so the model's KV cache of the prompt stays good, and moves by a whole step when the budget is full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from lsp_server.completion.document import Snapshot
from lsp_server.completion.fim import FimFormat, FimPrompt, Tokenizer, header

STEP_LINES = 16
SUFFIX_SHARE = 0.25
CHARACTERS_PER_TOKEN = 3
"""What is assumed of text for engines whose tokenizer is not at hand; code has rather more."""

Count = Callable[[str], int]


@dataclass(frozen=True)
class Window:
    """The part of a document that goes into a prompt.

    Attributes:
        prompt: the halves.
        first_line: 0-based line the prefix begins at.
        tokens: about how many tokens both halves have.
    """

    prompt: FimPrompt
    first_line: int
    tokens: int


def counter(tokenizer: Tokenizer | None) -> Count:
    """How many tokens a line has; lines are remembered, since typing changes one at a time."""
    if tokenizer is None:
        return lambda line: len(line) // CHARACTERS_PER_TOKEN + 1
    return lru_cache(maxsize=8192)(lambda line: len(tokenizer.encode(line)))


def select_window(snapshot: Snapshot, form: FimFormat, budget_tokens: int, count: Count) -> Window:
    """The lines around the cursor that fit the budget; what the suffix leaves unused the prefix takes."""
    name = snapshot.document.filename if form.files.names_alone else ""
    language = snapshot.document.language
    shown = header(form, name, language)
    budget = max(0, budget_tokens - len(form.layout) - (count(shown) + 1 if shown else 0))
    suffix, suffix_tokens = "", 0
    if form.uses_suffix:
        rest = [snapshot.line_suffix, *snapshot.lines_below]
        share = int(budget * SUFFIX_SHARE)
        kept, suffix_tokens = _fitting(_with_ends(rest), share, count)
        suffix = "".join(kept)
        if not kept:  # without any suffix the cursor would seem to be at the end of the file
            suffix, suffix_tokens = _start_of_line(rest[0], share, count)
    cursor_line, cursor_tokens = _end_of_line(snapshot.line_prefix, budget - suffix_tokens, count)
    # Of a cursor line that does not fit, only the end goes in, and nothing above can stand before it.
    above = snapshot.lines_above if cursor_line == snapshot.line_prefix else ()
    left = budget - suffix_tokens - cursor_tokens
    kept, above_tokens = _fitting((line + "\n" for line in reversed(above)), left, count)
    first = _stepped(len(above) - len(kept), len(above))
    prefix = "\n".join((*above[first:], cursor_line))
    first_line = snapshot.line - len(above) + first
    prompt = FimPrompt(prefix, suffix, path=name, language=language)
    return Window(prompt, first_line, suffix_tokens + cursor_tokens + above_tokens)


def _with_ends(lines: list[str]) -> Iterable[str]:
    """The lines with their ends, but for the last."""
    return (line + "\n" if at < len(lines) - 1 else line for at, line in enumerate(lines))


def _fitting(lines: Iterable[str], budget: int, count: Count) -> tuple[list[str], int]:
    """The first of the lines that fit the budget together, and their tokens."""
    kept: list[str] = []
    used = 0
    for line in lines:
        # A line of more characters than 16 to a token of budget is not even counted.
        tokens = count(line) if len(line) <= 16 * (budget - used) else budget + 1
        if used + tokens > budget:
            break
        kept.append(line)
        used += tokens
    return kept, used


def _end_of_line(line: str, budget: int, count: Count) -> tuple[str, int]:
    """As much of the end of a line as fits the budget, and its tokens; nearly always all of it."""
    line = line[max(0, len(line) - 16 * budget) :]
    while line and count(line) > budget:
        line = line[len(line) // 4 + 1 :]
    return line, count(line)


def _start_of_line(line: str, budget: int, count: Count) -> tuple[str, int]:
    """As much of the start of a line as fits the budget, and its tokens."""
    line = line[: 16 * budget]
    while line and count(line) > budget:
        line = line[: len(line) * 3 // 4]
    return line, count(line) if line else 0


def _stepped(first: int, cursor_line: int) -> int:
    """The next multiple of a step at or after ``first``, unless that leaves less than a step."""
    if first == 0:
        return 0
    stepped = -(-first // STEP_LINES) * STEP_LINES
    return stepped if cursor_line - stepped >= STEP_LINES else first
