r"""The document and the cursor in it, as one frozen snapshot.

Text is held with ``\n`` line ends only; ``Document.eol`` says what the file uses. A cursor counts code
points. Everything that LSP measures in UTF-8 or UTF-16 units is converted before it comes here.

While one types, nothing may cost more the longer the file is: an edit copies what is near it, what is counted
is carried from one version to the next, and lines are looked for from the cursor on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple
from urllib.parse import unquote

from lsp_server.completion.rope import Text, edited, typed_between

_LINE_END = re.compile(r"\r\n|\r")
_FILENAME = re.compile(r"[^\n]{1,80}\.\w{1,12}")


class Counts(NamedTuple):
    """How often there is, in whole lines: a line end, either triple quote, a Markdown fence."""

    line_ends: int = 0
    double_quotes: int = 0
    single_quotes: int = 0
    fences: int = 0

    @classmethod
    def of(cls, text: str) -> Counts:
        """What there is of each in a text."""
        return cls(*(text.count(what) for what in ("\n", '"""', "'''", "```")))

    def plus(self, other: Counts) -> Counts:
        """Of both."""
        return Counts(*(one + another for one, another in zip(self, other, strict=True)))

    def minus(self, other: Counts) -> Counts:
        """Without the other."""
        return Counts(*(one - another for one, another in zip(self, other, strict=True)))


class Mark(NamedTuple):
    """The start of a line, what is counted before it, and what in the whole text."""

    offset: int
    before: Counts
    whole: Counts


def newlines(source: str) -> str:
    r"""A text with ``\n`` in place of any of LSP's line ends."""
    return _LINE_END.sub("\n", source) if "\r" in source else source


@dataclass(frozen=True)
class Document:
    r"""A document at one version.

    Attributes:
        uri: where it lives, as the editor names it.
        language: the LSP language identifier, for example ``python``.
        text: the whole text, ``\n`` line ends; a rope, if it is long and was edited.
        version: the editor's version number, or None outside an editor.
        eol: the line end of the file, put back into what is suggested.
    """

    uri: str
    language: str
    text: Text
    version: int | None = None
    eol: str = "\n"

    @classmethod
    def from_source(cls, uri: str, language: str, source: str, version: int | None = None) -> Document:
        r"""A document from text with any of LSP's line ends (``\r\n``, ``\n``, ``\r``)."""
        if "\r" not in source:
            return cls(uri, language, source, version)
        eol = "\r\n" if "\r\n" in source else "\r" if "\n" not in source else "\n"
        return cls(uri, language, newlines(source), version, eol)

    @cached_property
    def filename(self) -> str:
        """Name of the file, if it has one that ends in what tells its language; else empty."""
        name = unquote(self.uri.rpartition("/")[2])
        return name if _FILENAME.fullmatch(name) else ""

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """All lines without their ends; a text that ends in a newline has a last, empty line."""
        return tuple(str(self.text).split("\n"))

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offset of the first character of each line, in code points."""
        return (0, *accumulate(len(line) + 1 for line in self.lines[:-1]))

    @cached_property
    def mark(self) -> Mark:
        """From where lines are counted: where the document was edited last, else its start."""
        return Mark(0, Counts(), Counts.of(str(self.text)))

    def edited(self, start: int, end: int, text: str, version: int | None, eol: str) -> Document:
        """The document with other text in place of whole lines; ``start`` and ``end`` are where lines begin.

        The end may be that of the document, too.
        """
        old, before = self.mark.whole.minus(Counts.of(self.text[start:end])), self.counts_before(start)
        document = Document(self.uri, self.language, edited(self.text, start, end, text), version, eol)
        document.__dict__["mark"] = Mark(start, before, old.plus(Counts.of(text)))
        return document

    def counts_before(self, start: int) -> Counts:
        """What is counted before the start of a line."""
        offset, before, _ = self.mark
        if start >= offset:
            return before.plus(Counts.of(self.text[offset:start]))
        return before.minus(Counts.of(self.text[start:offset]))

    def start_of(self, line: int) -> int | None:
        """Offset of the first character of a 0-based line; None if there is no such line."""
        offset, before, whole = self.mark
        if not 0 <= line <= whole.line_ends:
            return None
        for _ in range(before.line_ends, line):
            offset = self.text.find("\n", offset) + 1
        for _ in range(line, before.line_ends):
            offset = self.text.rfind("\n", 0, offset - 1) + 1
        return offset

    def at(self, line: int, character: int) -> Snapshot:
        """The snapshot at a 0-based line and character, both clamped into the text."""
        start = self.start_of(min(max(line, 0), self.mark.whole.line_ends)) or 0
        first = Snapshot(self, start)
        return Snapshot(self, start + min(max(character, 0), len(first.line_suffix)))

    def at_offset(self, offset: int) -> Snapshot:
        """The snapshot at an offset in code points, clamped into the text."""
        return Snapshot(self, min(max(offset, 0), len(self.text)))


@dataclass(frozen=True)
class Snapshot:
    """A document and a cursor in it, taken at one instant and never changed.

    Attributes:
        document: the text.
        offset: the cursor, in code points from the start of the text; between 0 and ``len(text)``.
    """

    document: Document
    offset: int

    @cached_property
    def line_start(self) -> int:
        """Offset of the first character of the cursor line."""
        return self.document.text.rfind("\n", 0, self.offset) + 1

    @cached_property
    def line_end(self) -> int:
        """Offset of the end of the cursor line."""
        end = self.document.text.find("\n", self.offset)
        return len(self.document.text) if end < 0 else end

    @cached_property
    def line(self) -> int:
        """0-based line of the cursor."""
        return self.counts_above.line_ends

    @property
    def character(self) -> int:
        """0-based column of the cursor, in code points."""
        return self.offset - self.line_start

    @cached_property
    def counts_above(self) -> Counts:
        """What is counted in the lines above the cursor line."""
        return self.document.counts_before(self.line_start)

    @cached_property
    def counts_below(self) -> Counts:
        """What is counted from the cursor line on."""
        return self.document.mark.whole.minus(self.counts_above)

    @cached_property
    def prefix(self) -> str:
        """All text before the cursor."""
        return self.document.text[: self.offset]

    @cached_property
    def suffix(self) -> str:
        """All text after the cursor."""
        return self.document.text[self.offset :]

    @cached_property
    def line_prefix(self) -> str:
        """The cursor line up to the cursor."""
        return self.document.text[self.line_start : self.offset]

    @cached_property
    def line_suffix(self) -> str:
        """The cursor line from the cursor to its end."""
        return self.document.text[self.offset : self.line_end]

    @property
    def lines_above(self) -> tuple[str, ...]:
        """All lines above the cursor line, first to last."""
        return self.document.lines[: self.line]

    @property
    def lines_below(self) -> tuple[str, ...]:
        """All lines below the cursor line, first to last."""
        return self.document.lines[self.line + 1 :]

    def above(self) -> Iterator[str]:
        """The lines above the cursor line, the nearest first; read as far as they are wanted."""
        text, end = self.document.text, self.line_start - 1
        while end >= 0:
            start = text.rfind("\n", 0, end) + 1
            yield text[start:end]
            end = start - 1

    def below(self) -> Iterator[str]:
        """The lines below the cursor line, the nearest first; read as far as they are wanted."""
        text, start = self.document.text, self.line_end + 1
        while start <= len(text):
            end = text.find("\n", start)
            end = len(text) if end < 0 else end
            yield text[start:end]
            start = end + 1

    def typed_in(self, document: Document) -> str | None:
        """What was put in at the cursor to make this document; None if it was changed in any other way."""
        if document is self.document:
            return ""
        return typed_between(self.document.text, document.text, self.offset)

    @property
    def indentation(self) -> str:
        """The white space that the cursor line starts with, up to the cursor at most."""
        before = self.line_prefix
        return before[: len(before) - len(before.lstrip(" \t"))]
