"""The prompt: what a model is given so that it writes the middle.

A ``FimFormat`` is plain data about a family of models; ``render`` is the one place that turns a prompt into
token ids. User text is tokenised with special pieces off, so a sentinel spelled out in code stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Tokenizer(Protocol):
    """Turns text into the ids of one model's vocabulary."""

    def encode(self, text: str) -> list[int]:
        """Ids of plain text; the spelling of a special piece is not that piece."""
        ...

    def special_id(self, piece: str) -> int | None:
        """Id of a special piece, None when the vocabulary has none of that name."""
        ...


@dataclass(frozen=True)
class FimFormat:
    """How one family of models is asked for the middle.

    Attributes:
        name: the key in ``FORMATS``.
        layout: sentinels, and the words ``{prefix}`` and ``{suffix}`` for the halves, in order.
        stops: special pieces that end the middle.
        file_sentinel: the special piece that stands before the path of a file, where the model was shown
            paths: first those of the snippets, each with its text, then that of the document.
    """

    name: str
    layout: tuple[str, ...]
    stops: tuple[str, ...]
    file_sentinel: str = ""

    @property
    def sentinels(self) -> tuple[str, ...]:
        """The special pieces of the layout, in order."""
        return tuple(part for part in self.layout if part not in (PREFIX, SUFFIX))

    @property
    def uses_suffix(self) -> bool:
        """Whether the model sees what follows the cursor."""
        return SUFFIX in self.layout

    @property
    def ends_with_prefix(self) -> bool:
        """Whether the middle goes on directly from the prefix, so that the cursor can be healed."""
        return self.layout[-1] == PREFIX

    @property
    def order(self) -> str:
        """``psm``, ``spm`` or ``causal``."""
        if not self.uses_suffix:
            return "causal"
        return "psm" if self.layout.index(PREFIX) < self.layout.index(SUFFIX) else "spm"


PREFIX = "{prefix}"
SUFFIX = "{suffix}"

FORMATS = {
    f.name: f
    for f in (
        FimFormat("causal", (PREFIX,), ("<|endoftext|>", "<|im_end|>", "<file_sep>", "</s>")),
        FimFormat(
            "starcoder",
            ("<fim_prefix>", PREFIX, "<fim_suffix>", SUFFIX, "<fim_middle>"),
            ("<|endoftext|>", "<file_sep>"),
        ),
        FimFormat(
            "starcoder-spm",
            ("<fim_prefix>", "<fim_suffix>", SUFFIX, "<fim_middle>", PREFIX),
            ("<|endoftext|>", "<file_sep>"),
        ),
        FimFormat(
            "qwen2.5-coder",
            ("<|fim_prefix|>", PREFIX, "<|fim_suffix|>", SUFFIX, "<|fim_middle|>"),
            ("<|endoftext|>", "<|im_end|>", "<|file_sep|>"),
        ),
        # What training/ taught the embedded model; the pieces are ones its vocabulary had to spare.
        FimFormat(
            "smollm2-spm",
            ("<issue_start>", SUFFIX, "<issue_comment>", PREFIX),
            ("<|endoftext|>", "<|im_end|>", "<file_sep>", "<issue_start>", "<issue_comment>"),
            file_sentinel="<file_sep>",
        ),
    )
}
"""Formats by name."""


@dataclass(frozen=True)
class Snippet:
    """A part of another file, and that file's path."""

    path: str
    text: str


@dataclass(frozen=True)
class FimPrompt:
    """The halves of the text around the cursor, already cut to the token budget.

    Attributes:
        prefix: what stands before the cursor.
        suffix: what stands behind it.
        path: of the document; empty if the model is not to see it.
        snippets: parts of other files, the most useful last.
    """

    prefix: str
    suffix: str
    path: str = ""
    snippets: tuple[Snippet, ...] = ()


@dataclass(frozen=True)
class RenderedPrompt:
    """A prompt in its final form.

    Attributes:
        pieces: the prompt as text, sentinel by sentinel and half by half.
        ids: its token ids, None without a tokenizer.
        healed: what was taken off the end of the prefix for the model to spell again.
        stop_ids: ids of the format's stops.
        stop_strings: their spelling, for engines that know no ids.
    """

    pieces: tuple[str, ...]
    ids: tuple[int, ...] | None
    healed: str
    stop_ids: frozenset[int]
    stop_strings: tuple[str, ...]

    @property
    def text(self) -> str:
        """The prompt as one text."""
        return "".join(self.pieces)


_UNFINISHED = re.compile(r"(?:[ \t]?\w{1,64}|\s{1,64})\Z")


def split_healed(prefix: str) -> tuple[str, str]:
    """Part a prefix into what goes into the prompt and what the model spells again.

    What is taken off is the unfinished word at the end with the blank before it, or the white space
    at the end with the line end before it: the vocabulary joins a blank to the word that follows
    it and a line end to the indentation, so a prompt that ends inside such a piece is one that no model saw.
    """
    found = _UNFINISHED.search(prefix)
    if found is None:
        return prefix, ""
    return prefix[: found.start()], found.group()


def render(prompt: FimPrompt, form: FimFormat, tokenizer: Tokenizer | None, *, heal: bool) -> RenderedPrompt:
    """The prompt in a model's own format.

    Args:
        prompt: the halves.
        form: the format of the model's family.
        tokenizer: the model's; without one only the text is rendered.
        heal: whether the backend can constrain its first pieces to spell what is taken off.
    """
    prefix, healed = split_healed(prompt.prefix) if heal and form.ends_with_prefix else (prompt.prefix, "")
    halves = {PREFIX: prefix, SUFFIX: prompt.suffix}
    parts = [*_files(prompt, form), *(_Part(halves.get(part, part), part in halves) for part in form.layout)]
    pieces = tuple(part.spelling for part in parts)
    if tokenizer is None:
        return RenderedPrompt(pieces, None, healed, frozenset(), form.stops)
    stop_ids = [number for stop in form.stops if (number := tokenizer.special_id(stop)) is not None]
    # An empty prompt is where a document begins, which is what stands behind the end of another.
    ids = _ids(parts, form, tokenizer) or tuple(stop_ids[:1])
    return RenderedPrompt(pieces, ids, healed, frozenset(stop_ids), form.stops)


class _Part(NamedTuple):
    spelling: str
    is_text: bool


def _files(prompt: FimPrompt, form: FimFormat) -> Iterator[_Part]:
    """What stands before the layout: other files, and the path of this one."""
    if not form.file_sentinel:
        return
    for snippet in prompt.snippets:
        yield _Part(form.file_sentinel, is_text=False)
        yield _Part(f"{snippet.path}\n{snippet.text}", is_text=True)
    if prompt.path:
        yield _Part(form.file_sentinel, is_text=False)
        yield _Part(f"{prompt.path}\n", is_text=True)


def _ids(parts: Iterable[_Part], form: FimFormat, tokenizer: Tokenizer) -> tuple[int, ...]:
    ids: list[int] = []
    for part in parts:
        if part.is_text:
            ids.extend(tokenizer.encode(part.spelling))
        elif (sentinel := tokenizer.special_id(part.spelling)) is not None:
            ids.append(sentinel)
        else:
            message = f"the vocabulary has no piece {part.spelling}, which the format {form.name} needs"
            raise ValueError(message)
    return tuple(ids)
