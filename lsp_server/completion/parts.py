"""What a prompt consists of, in the order that a format puts it, before anything is tokenised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath
from string import Formatter
from typing import Literal, NamedTuple

from lsp_server.completion.formats import PREFIX, SUFFIX, FileLayout, FimFormat, is_special
from lsp_server.completion.languages import LANGUAGES


@dataclass(frozen=True)
class Snippet:
    """A part of another file, and that file's path."""

    path: str
    text: str


@dataclass(frozen=True)
class FimPrompt:
    """The halves of the text around the cursor, already cut to the token budget.

    Attributes:
        prefix: what stands before the cursor, or before what was typed.
        suffix: what stands behind it.
        typed: what stands between the prefix and the cursor, and was typed since the halves were shown; a
            format that begins the middle with a sentinel shows it behind that one.
        path: of the document; empty if the model is not to see it.
        snippets: parts of other files, the most useful last.
        repository: the name of what the files belong to; empty if the model is not to see it.
        language: LSP's identifier of the document's language; only some families are told.
    """

    prefix: str
    suffix: str
    path: str = ""
    snippets: tuple[Snippet, ...] = ()
    repository: str = ""
    language: str = ""
    typed: str = ""


class Part(NamedTuple):
    """A piece of a prompt: a special piece, text that begins there, or text that goes on from a sentinel."""

    spelling: str
    kind: Literal["special", "text", "inside"]


def parts_of(prompt: FimPrompt, form: FimFormat) -> list[Part]:
    """The prompt but for what every prompt begins with; texts that stand side by side are one."""
    files = form.files
    others = [*_filled(files.repository, _known(prompt)), *_others(prompt, files)]
    own, head = _document(prompt, files)
    shown = own if files.in_prefix else [*others, *own]
    for part in form.layout:
        if part == PREFIX:
            shown += [*(others if files.in_prefix else ()), *head, Part(prompt.prefix, "text")]
        else:
            shown.append(Part(prompt.suffix, "inside") if part == SUFFIX else Part(part, "special"))
    if prompt.typed:
        shown.append(Part(prompt.typed, "inside"))
    return list(_joined(shown))


def header(form: FimFormat, path: str, language: str) -> str:
    """What a model is shown of a document besides the halves, if of no other; for counting its tokens."""
    own, head = _document(FimPrompt("", "", path, language=language), form.files)
    return "".join(part.spelling for part in (*own, *head))


def as_typed(parts: Iterable[Part], form: FimFormat) -> str:
    """The prompt as one would type it for a tokenizer that finds the sentinels in it."""
    if not form.spells_blanks:
        return "".join(part.spelling for part in parts)
    # Its tokenizer puts a blank before the first piece, but before the prefix it has to be typed.
    return "".join(_typed(*part) for part in parts if part.spelling).removeprefix(" ")


def _typed(spelling: str, kind: str) -> str:
    if kind == "special":
        return piece_as_typed(spelling)
    return f" {spelling}" if kind == "text" else spelling


def piece_as_typed(piece: str) -> str:
    """A piece with the blank that SentencePiece's sign at its start stands for."""
    return f" {piece[1:]}" if piece.startswith("▁") else piece


def _document(prompt: FimPrompt, files: FileLayout) -> tuple[list[Part], list[Part]]:
    """What stands for the document before the halves, and at the head of its prefix."""
    known = _known(prompt)
    own = _filled(files.own, known) if prompt.path or prompt.snippets else []
    return own, _filled(files.head, known)


def _others(prompt: FimPrompt, files: FileLayout) -> Iterator[Part]:
    for snippet in prompt.snippets:
        lines = snippet.text if snippet.text.endswith("\n") else snippet.text + "\n"
        path = {"path": snippet.path} if snippet.path else {}
        yield from _filled(files.other, {"text": snippet.text, "lines": lines} | path)


def _known(prompt: FimPrompt) -> dict[str, str]:
    """What is known of the document, by the names that the texts of a layout use."""
    extension = PurePosixPath(prompt.path).suffix
    fields = {"repository": prompt.repository, "path": prompt.path, "extension": extension}
    known = {name: value for name, value in fields.items() if value}
    if (language := LANGUAGES.get(prompt.language)) is not None:
        known |= {"open": language.open, "close": language.close, "language": language.name}
    return known


def _filled(parts: tuple[str, ...], known: Mapping[str, str]) -> list[Part]:
    """Parts with their fields filled in, but for texts that need what is not known; none if that was all."""
    shown = [part for part in parts if is_special(part) or _fields(part) <= known.keys()]
    if all(map(is_special, shown)) and not all(map(is_special, parts)):
        return []
    return [
        Part(part, "special") if is_special(part) else Part(part.format_map(known), "text") for part in shown
    ]


def _fields(part: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(part) if name}


def _joined(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts, with texts that stand side by side put together, since they are tokenised as one."""
    for kind, group in groupby(parts, key=lambda part: part.kind):
        if kind == "text":
            yield Part("".join(part.spelling for part in group), kind)
        else:
            yield from group
