"""Which part of the file the model sees, in whole lines and under a token budget.

Only of the cursor's own line may a part be left out, on either side, where all of it does not fit.

The window begins at a line whose number is a multiple of ``STEP_LINES``: it stays where it is while one
types, so the model's KV cache of the prompt stays good, and moves by a whole step when the budget is full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

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


def select_window(
    snapshot: Snapshot, form: FimFormat, budget_tokens: int, count: Count, *, last_begun_at: int | None = None
) -> Window:
    """The lines around the cursor that fit the budget; what the suffix leaves unused the prefix takes.

    Args:
        snapshot: the document and the cursor.
        form: how the model is asked.
        budget_tokens: for the whole prompt.
        count: how many tokens a line has.
        last_begun_at: the line that the window before began at, as this one does if that costs it no more
            than half of what it could show.
    """
    name = _shown_name(snapshot, form)
    budget = room_for_halves(snapshot, form, budget_tokens, count)
    suffix, suffix_tokens = "", 0
    if form.uses_suffix:
        share = int(budget * SUFFIX_SHARE)
        rest = chain((snapshot.line_suffix,), snapshot.below())
        kept, suffix_tokens = _fitting(_with_ends(rest), share, count)
        suffix = "".join(kept)
        if not kept:  # without any suffix the cursor would seem to be at the end of the file
            suffix, suffix_tokens = _start_of_line(snapshot.line_suffix, share, count)
    cursor_line, cursor_tokens = _end_of_line(snapshot.line_prefix, budget - suffix_tokens, count)
    # Of a cursor line that does not fit, only the end goes in, and nothing above can stand before it.
    is_whole = cursor_line == snapshot.line_prefix
    above, lines = (snapshot.above(), snapshot.line) if is_whole else ((), 0)
    left = budget - suffix_tokens - cursor_tokens
    kept, _ = _fitting((line + "\n" for line in above), left, count)
    first = _first_line(lines - len(kept), lines, last_begun_at)
    shown = "".join(reversed(kept[: lines - first]))
    prompt = FimPrompt(shown + cursor_line, suffix, path=name, language=snapshot.document.language)
    tokens = suffix_tokens + cursor_tokens + count_lines(shown, count)
    return Window(prompt, snapshot.line - lines + first, tokens)


def room_for_halves(snapshot: Snapshot, form: FimFormat, budget_tokens: int, count: Count) -> int:
    """How many tokens of a budget are left once sentinels and the file's name are shown."""
    shown = header(form, _shown_name(snapshot, form), snapshot.document.language)
    return max(0, budget_tokens - len(form.layout) - (count(shown) + 1 if shown else 0))


def count_lines(text: str, count: Count) -> int:
    """How many tokens a text has, counted line by line."""
    return sum(count(line) for line in _with_ends(text.split("\n")) if line)


def _shown_name(snapshot: Snapshot, form: FimFormat) -> str:
    return snapshot.document.filename if form.files.names_alone else ""


def _with_ends(lines: Iterable[str]) -> Iterator[str]:
    """The lines with their ends, but for the last."""
    before = None
    for line in lines:
        if before is not None:
            yield before + "\n"
        before = line
    if before is not None:
        yield before


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


def _first_line(fitting: int, cursor_line: int, last: int | None) -> int:
    """The line to begin at, where ``fitting`` is the first one that the budget has room for."""
    if last is not None and fitting <= last <= (fitting + cursor_line) // 2:
        return last
    return _stepped(fitting, cursor_line)


def _stepped(first: int, cursor_line: int) -> int:
    """The next multiple of a step at or after ``first``, unless that leaves less than a step."""
    if first == 0:
        return 0
    stepped = -(-first // STEP_LINES) * STEP_LINES
    return stepped if cursor_line - stepped >= STEP_LINES else first
