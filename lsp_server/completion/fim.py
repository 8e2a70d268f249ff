"""The prompt: what a model is given so that it writes the middle.

A ``FimFormat`` is plain data about a family of models; ``render`` is the one place that turns a prompt into
token ids. User text is tokenised with special pieces off, so a sentinel spelled out in code stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from lsp_server.completion.families import FORMATS
from lsp_server.completion.formats import FileLayout, FimFormat
from lsp_server.completion.parts import FimPrompt, Part, Snippet, as_typed, header, parts_of, piece_as_typed
from lsp_server.errors import ModelError

__all__ = [
    "FORMATS",
    "FimFormat",
    "FimPrompt",
    "RenderedPrompt",
    "Snippet",
    "Tokenizer",
    "header",
    "render",
    "split_healed",
]


class Tokenizer(Protocol):
    """Turns text into the ids of one model's vocabulary.

    Vocabularies of SentencePiece's kind put a blank before a text, so that its first word is the same
    piece as in the middle of a sentence. What goes on from another piece must not be given that blank.
    """

    @property
    def bos(self) -> str:
        """The special piece that the vocabulary's files put before every text; empty for none."""
        ...

    def encode(self, text: str) -> list[int]:
        """Ids of plain text that begins here; the spelling of a special piece is not that piece."""
        ...

    def encode_inside(self, text: str) -> list[int]:
        """Ids of plain text that goes on, with no blank put before it."""
        ...

    def special_id(self, piece: str) -> int | None:
        """Id of a special piece, None when the vocabulary has none of that name."""
        ...


@dataclass(frozen=True)
class RenderedPrompt:
    """A prompt in its final form.

    Attributes:
        pieces: the prompt sentinel by sentinel and text by text, as they are spelled in the vocabulary.
        ids: its token ids, None without a tokenizer.
        text: the prompt for engines that tokenise themselves, which put the ``bos`` before it.
        order: ``psm``, ``spm`` or ``causal``.
        sentinels: the special pieces among the pieces, each once.
        healed: what was taken off the end of the prompt for the model to spell again.
        stop_ids: ids of the format's stops.
        stop_strings: texts that end the middle; those of the stops too where there are no ids.
    """

    pieces: tuple[str, ...]
    ids: tuple[int, ...] | None
    text: str
    order: str
    sentinels: tuple[str, ...]
    healed: str
    stop_ids: frozenset[int]
    stop_strings: tuple[str, ...]


_UNFINISHED = re.compile(r"(?:[ \t]?\w{1,64}|\s{1,64})\Z")
_UNFINISHED_CHARACTERS = 65
"""The longest that it finds: there is no need to look for it in all of a prompt."""


def split_healed(before: str) -> tuple[str, str]:
    """Part the text before the cursor into what goes into the prompt and what the model spells again.

    What is taken off is the unfinished word at the end with the blank before it, or the white space
    at the end with the line end before it: the vocabulary joins a blank to the word that follows
    it and a line end to the indentation, so a prompt that ends inside such a piece is one that no model saw.
    """
    found = _UNFINISHED.search(before, max(0, len(before) - _UNFINISHED_CHARACTERS))
    if found is None:
        return before, ""
    return before[: found.start()], found.group()


def render(prompt: FimPrompt, form: FimFormat, tokenizer: Tokenizer | None, *, heal: bool) -> RenderedPrompt:
    """The prompt in a model's own format.

    Args:
        prompt: the halves.
        form: the format of the model's family.
        tokenizer: the model's; without one only the text is rendered.
        heal: whether the backend can constrain its first pieces to spell what is taken off.

    Raises:
        ModelError: the vocabulary lacks a special piece that the format needs.
    """
    form = _showable(form, tokenizer).before(prompt.suffix)
    ended, healed = _ended(prompt, form, heal=heal)
    parts = parts_of(ended, form)
    bos = form.bos if form.bos is not None else tokenizer.bos if tokenizer else ""
    begun = [Part(bos, "special"), *parts] if bos else parts
    # An empty prompt is where a document begins, which is what stands behind the end of another.
    stops = {} if tokenizer is None else _known(form.stops, tokenizer)
    ids = None if tokenizer is None else _ids(begun, form, tokenizer) or tuple(stops.values())[:1]
    return RenderedPrompt(
        pieces=tuple(part.spelling for part in begun),
        ids=ids,
        text=as_typed(parts, form),
        order=form.order,
        sentinels=tuple(dict.fromkeys(part.spelling for part in begun if part.kind == "special")),
        healed=healed,
        stop_ids=frozenset(stops.values()),
        stop_strings=(*(map(piece_as_typed, form.stops) if tokenizer is None else ()), *form.stop_texts),
    )


def _ended(prompt: FimPrompt, form: FimFormat, *, heal: bool) -> tuple[FimPrompt, str]:
    """The prompt with what was typed where the format shows it, and what is taken off its end."""
    before = prompt.prefix + prompt.typed
    if not form.begins_middle:
        kept, healed = split_healed(before) if heal and form.ends_with_prefix else (before, "")
        return replace(prompt, prefix=kept, typed=""), healed
    kept, unfinished = split_healed(prompt.typed)
    if heal:
        return replace(prompt, typed=kept), unfinished
    # No model saw the half of a word go on behind its first half in a middle, but each saw a prefix end so.
    return (replace(prompt, prefix=before, typed="") if unfinished else prompt), ""


def _showable(form: FimFormat, tokenizer: Tokenizer | None) -> FimFormat:
    """The format without files, if the vocabulary lacks their pieces: then the model was never shown any."""
    if tokenizer is None or form.files.pieces <= _known(form.files.pieces, tokenizer).keys():
        return form
    return replace(form, files=FileLayout())


def _known(pieces: Iterable[str], tokenizer: Tokenizer) -> dict[str, int]:
    """The ids of those pieces that the vocabulary has."""
    found = {piece: tokenizer.special_id(piece) for piece in pieces}
    return {piece: number for piece, number in found.items() if number is not None}


def _ids(parts: Iterable[Part], form: FimFormat, tokenizer: Tokenizer) -> tuple[int, ...]:
    ids: list[int] = []
    for part in parts:
        if part.kind == "text":
            ids += tokenizer.encode(part.spelling)
        elif part.kind == "inside":
            ids += tokenizer.encode_inside(part.spelling)
        elif (sentinel := tokenizer.special_id(part.spelling)) is not None:
            ids.append(sentinel)
        else:
            message = (
                f"The model's vocabulary has no piece {part.spelling}, which the format {form.name} needs."
            )
            raise ModelError(message)
    return tuple(ids)
