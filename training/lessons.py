"""Lessons: holes in real files, tokenised exactly as the server tokenises its prompts."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from lsp_server.completion.context import counter, select_window
from lsp_server.completion.document import Document
from lsp_server.completion.fim import FORMATS, FimPrompt, Snippet, Tokenizer, render
from lsp_server.completion.formats import PREFIX, SUFFIX
from training.holes import HOLES, Hole

FORMAT = FORMATS["smollm2-spm"]
END = "<|endoftext|>"
MIDDLE = "<issue_closed>"
"""Stands behind an unhealed prefix, where llama.cpp's own ``/infill`` puts its middle sentinel."""
_SUFFIX_PIECE, _, _PREFIX_PIECE, _ = FORMAT.layout
PREFIX_FIRST = replace(
    FORMAT, name="smollm2-psm", layout=(_PREFIX_PIECE, PREFIX, _SUFFIX_PIECE, SUFFIX, MIDDLE)
)
"""The order that ``/infill`` has unless it is told otherwise."""

BUDGETS = (128, 192, 256, 320, 512)
"""Tokens of a window; the last is the server's on a CPU, the shorter ones give more lessons for the time."""
MAX_MIDDLE_TOKENS = 64
PATH_SHARE, SNIPPET_SHARE = 0.5, 0.1
SNIPPET_LINES = (4, 12)
"""How many lines of another file are shown, at least and at most."""
TRIES = 8
"""For a lesson of one kind, before the next is begun."""


@dataclass(frozen=True)
class Stage:
    """What is taught for a part of the training.

    Attributes:
        kinds: how many lessons of a hundred are of each kind of hole.
        unhealed: share of the lessons that are not healed and have ``MIDDLE``, as ``/infill`` asks.
        prefix_first: share of these in which the prefix comes first.
    """

    kinds: Mapping[str, int]
    unhealed: float
    prefix_first: float


STAGES = {
    1: Stage(
        {"rest": 30, "inside": 14, "line": 16, "block": 20, "span": 5, "empty": 7, "end": 8},
        unhealed=0.1,
        prefix_first=0.0,
    ),
    2: Stage(
        {"rest": 26, "inside": 10, "line": 16, "block": 12, "body": 18, "span": 2, "empty": 8, "end": 8},
        unhealed=0.15,
        prefix_first=0.7,
    ),
}
"""By number. After the first the model went on behind the end of bodies, so the second has more of them."""


@dataclass(frozen=True)
class Lesson:
    """The ids of one sequence: prompt, middle and end.

    Attributes:
        ids: all of it.
        prefix_at: index of the first id of the prefix.
        middle_at: index of the first id of the middle, which goes to the end.
    """

    ids: tuple[int, ...]
    prefix_at: int
    middle_at: int


class Teacher:
    """Makes lessons of files.

    Args:
        tokenizer: the model's.
        rng: everything that is left to chance; the same seed gives the same lessons.
        stage: what they are to be like.

    Raises:
        ValueError: the vocabulary lacks a piece of the format.
    """

    def __init__(self, tokenizer: Tokenizer, rng: random.Random, stage: Stage = STAGES[1]) -> None:
        self._stage = stage
        self._tokenizer = tokenizer
        self._count = counter(tokenizer)
        self._rng = rng
        self._end = _sure(tokenizer, END)
        self._middle = _sure(tokenizer, MIDDLE)
        self._prefix = _sure(tokenizer, FORMAT.layout[-2])

    def lessons(self, path: str, text: str, others: Sequence[Snippet], number: int) -> Iterator[Lesson]:
        """At most ``number`` lessons of a text; ``others`` are files that may be shown beside it."""
        document = Document("", "", text)
        for _ in range(number):
            kind = self._rng.choices(tuple(self._stage.kinds), tuple(self._stage.kinds.values()))[0]
            for _ in range(TRIES):
                hole = HOLES[kind](document, self._rng)
                if hole and (lesson := self.lesson(document, hole, kind, path, others)):
                    yield lesson
                    break

    def lesson(
        self, document: Document, hole: Hole, kind: str, path: str, others: Sequence[Snippet]
    ) -> Lesson | None:
        """The lesson that a hole gives; None if its middle is too long for one."""
        text = document.text
        middle = text[hole.start : hole.end]
        rest = "" if kind == "end" else text[hole.end :]
        place = Document("", "", text[: hole.start] + rest).at_offset(hole.start)
        budget = self._rng.choice(BUDGETS)
        prompt = select_window(place, FORMAT, budget, self._count).prompt
        prompt = self._with_files(prompt, path, others)
        heal = self._rng.random() >= self._stage.unhealed
        # A stage without such lessons draws no lot for them, so that its seed gives what it always gave.
        if not heal and self._stage.prefix_first and self._rng.random() < self._stage.prefix_first:
            return self._prefix_first(prompt, middle)
        rendered = render(prompt, FORMAT, self._tokenizer, heal=heal)
        ids = [*(rendered.ids or ()), *([] if heal else [self._middle])]
        answer = self._tokenizer.encode(rendered.healed + middle)
        if len(answer) > MAX_MIDDLE_TOKENS:
            return None
        return Lesson((*ids, *answer, self._end), ids.index(self._prefix) + 1, len(ids))

    def _prefix_first(self, prompt: FimPrompt, middle: str) -> Lesson | None:
        """A lesson in the other order, of which nothing but the middle is learned."""
        ids = render(prompt, PREFIX_FIRST, self._tokenizer, heal=False).ids or ()
        answer = self._tokenizer.encode(middle)
        if len(answer) > MAX_MIDDLE_TOKENS:
            return None
        return Lesson((*ids, *answer, self._end), len(ids), len(ids))

    def _with_files(self, prompt: FimPrompt, path: str, others: Sequence[Snippet]) -> FimPrompt:
        """Sometimes the path of the file, or its name alone; seldom a few lines of another file before it."""
        if self._rng.random() >= PATH_SHARE:
            return prompt
        prompt = replace(prompt, path=self._shown(path))
        if others and self._rng.random() < SNIPPET_SHARE / PATH_SHARE:
            prompt = replace(prompt, snippets=(self._snippet(self._rng.choice(others)),))
        return prompt

    def _shown(self, path: str) -> str:
        return path if self._rng.random() < 0.5 else PurePosixPath(path).name

    def _snippet(self, file: Snippet) -> Snippet:
        lines = file.text.split("\n")
        number = self._rng.randint(*SNIPPET_LINES)
        first = self._rng.randrange(max(1, len(lines) - number))
        return Snippet(self._shown(file.path), "\n".join(lines[first : first + number]) + "\n")


def _sure(tokenizer: Tokenizer, piece: str) -> int:
    if (number := tokenizer.special_id(piece)) is None:
        message = f"the vocabulary has no piece {piece}"
        raise ValueError(message)
    return number
