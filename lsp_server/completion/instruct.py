"""Instructions: what a model that was tuned on them is told, and what is taken from its answer.

An ``InstructFormat`` is plain data, as a ``FimFormat`` is. All of a prompt is tokenised as text, the user's
part of it too, so a sentinel that is spelled out in the code stays text.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lsp_server.completion.brackets import comment_start
from lsp_server.completion.document import Document, Snapshot
from lsp_server.completion.fim import Tokenizer


@dataclass(frozen=True)
class InstructFormat:
    """How one family of models is given an instruction.

    Attributes:
        name: the key in ``INSTRUCT_FORMATS``.
        template: the prompt, with ``{instruction}`` and ``{input}`` where those go.
        stops: special pieces that end the answer.
        stop_strings: texts that end the answer, of which engines over HTTP take four with the stops.
    """

    name: str
    template: str
    stops: tuple[str, ...]
    stop_strings: tuple[str, ...]

    def fill(self, instruction: str, given: str) -> str:
        """The prompt as one text; braces in what is filled in mean nothing."""
        parts = {"{instruction}": instruction, "{input}": given}
        return re.sub("|".join(map(re.escape, parts)), lambda found: parts[found.group()], self.template)


INSTRUCT_FORMATS = {
    each.name: each
    for each in (
        InstructFormat(
            "alpaca",
            "Below is an instruction that describes a task, paired with an input that provides further"
            " context. Write a response that appropriately completes the request.\n\n"
            "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:",
            ("<|endoftext|>",),
            ("\n### Instruction:", "\n### Input:", "\n### Response:"),
        ),
    )
}
"""Formats by name."""


@dataclass(frozen=True)
class Task:
    """What a model is to do.

    Attributes:
        title: for people.
        instruction: what to do, in a sentence.
        given: the code that it is about.
        needs_all: whether the code must be given whole; otherwise its end will do.
    """

    title: str
    instruction: str
    given: str
    needs_all: bool


def explain_task(document: Document, start: int, end: int) -> Task | None:
    """The task to explain a part of a document, None where there is nothing in it.

    Args:
        document: the text.
        start: where the part begins, in code points.
        end: where it ends.
    """
    selected = textwrap.dedent(document.text[start:end]).strip("\n")
    if not selected.strip():
        return None
    return Task("Explain the selection", "Please explain the following program.", selected, needs_all=True)


def write_task(snapshot: Snapshot) -> Task | None:
    """The task to write what the comment at the cursor asks for, None where there is no comment."""
    last = last_comment_line(snapshot)
    if last is None:
        return None
    document = snapshot.document
    above = "\n".join(document.lines[: last + 1])
    instruction = f"Write the {document.language} code that the comment at the end of the input asks for."
    return Task("Write code from the comment", instruction, above, needs_all=False)


def last_comment_line(snapshot: Snapshot) -> int | None:
    """The 0-based last line of the line comments that the cursor is in, or right below on a blank line."""
    lines, language, line = snapshot.document.lines, snapshot.document.language, snapshot.line
    if not lines[line].strip() and line > 0:
        line -= 1
    if not _is_comment(lines[line], language):
        return None
    while line + 1 < len(lines) and _is_comment(lines[line + 1], language):
        line += 1
    return line


def _is_comment(line: str, language: str) -> bool:
    text = line.strip()
    return bool(text) and comment_start(text, language) == 0


Count = Callable[[str], int]


def fit(task: Task, budget_tokens: int, count: Count) -> str | None:
    """What of the task's code fits the budget, in whole lines; None if it must be whole and does not."""
    lines = task.given.split("\n")
    kept = _fitting(reversed(lines), budget_tokens, count)
    if task.needs_all and kept < len(lines):
        return None
    return "\n".join(lines[len(lines) - kept :])


def _fitting(lines: Iterable[str], budget_tokens: int, count: Count) -> int:
    """How many of the lines, from the first, fit the budget together."""
    kept = 0
    for line in lines:
        budget_tokens -= count(line + "\n")
        if budget_tokens < 0:
            break
        kept += 1
    return kept


@dataclass(frozen=True)
class InstructPrompt:
    """A prompt in its final form: its text, its ids (None without a tokenizer), and what ends the answer."""

    text: str
    ids: tuple[int, ...] | None
    stop_ids: frozenset[int]
    stop_strings: tuple[str, ...]


def render_instruct(
    instruction: str, given: str, form: InstructFormat, tokenizer: Tokenizer | None, written: str = ""
) -> InstructPrompt:
    """The prompt in a model's own format.

    Args:
        instruction: what to do.
        given: the code that it is about.
        form: the model's format.
        tokenizer: the model's; without one only the text is rendered.
        written: the beginning of the answer, which the model goes on with.
    """
    text = form.fill(instruction, given)
    stop_strings = (*form.stops, *form.stop_strings)
    if tokenizer is None:
        return InstructPrompt(text + written, None, frozenset(), stop_strings)
    stop_ids = {number for stop in form.stops if (number := tokenizer.special_id(stop)) is not None}
    ids = (*tokenizer.encode(text), *tokenizer.encode(written))
    return InstructPrompt(text + written, ids, frozenset(stop_ids), stop_strings)


_FENCED = re.compile(r"^[ \t]*(```+|~~~+)[^\n]*\n(?P<code>.*?)(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE)


def code_of(answer: str, indentation: str) -> str:
    """The code in an answer, at an indentation: what is in its first fence, or all of it."""
    fenced = _FENCED.search(answer)
    code = textwrap.dedent(fenced["code"] if fenced else answer.strip("\n")).strip("\n").rstrip()
    return textwrap.indent(code, indentation)
