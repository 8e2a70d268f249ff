r"""The document and the cursor in it, as one frozen snapshot.

Text is held with ``\n`` line ends only; ``Document.eol`` says what the file uses. A cursor counts code
points. Everything that LSP measures in UTF-8 or UTF-16 units is converted before it comes here.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from urllib.parse import unquote

_LINE_END = re.compile(r"\r\n|\r")
_FILENAME = re.compile(r"[^\n]{1,80}\.\w{1,12}")


@dataclass(frozen=True)
class Document:
    r"""A document at one version.

    Attributes:
        uri: where it lives, as the editor names it.
        language: the LSP language identifier, for example ``python``.
        text: the whole text, ``\n`` line ends.
        version: the editor's version number, or None outside an editor.
        eol: the line end of the file, put back into what is suggested.
    """

    uri: str
    language: str
    text: str
    version: int | None = None
    eol: str = "\n"

    @classmethod
    def from_source(cls, uri: str, language: str, source: str, version: int | None = None) -> Document:
        r"""A document from text with any of LSP's line ends (``\r\n``, ``\n``, ``\r``)."""
        if "\r" not in source:
            return cls(uri, language, source, version)
        eol = "\r\n" if "\r\n" in source else "\r" if "\n" not in source else "\n"
        return cls(uri, language, _LINE_END.sub("\n", source), version, eol)

    @cached_property
    def filename(self) -> str:
        """Name of the file, if it has one that ends in what tells its language; else empty."""
        name = unquote(self.uri.rpartition("/")[2])
        return name if _FILENAME.fullmatch(name) else ""

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines without their ends; a text that ends in a newline has a last, empty line."""
        return tuple(self.text.split("\n"))

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offset of the first character of each line, in code points."""
        return (0, *accumulate(len(line) + 1 for line in self.lines[:-1]))

    def at(self, line: int, character: int) -> Snapshot:
        """The snapshot at a 0-based line and character, both clamped into the text."""
        line = min(max(line, 0), len(self.lines) - 1)
        character = min(max(character, 0), len(self.lines[line]))
        return Snapshot(self, self.line_starts[line] + character)

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
    def line(self) -> int:
        """0-based line of the cursor."""
        return bisect.bisect_right(self.document.line_starts, self.offset) - 1

    @cached_property
    def character(self) -> int:
        """0-based column of the cursor, in code points."""
        return self.offset - self.document.line_starts[self.line]

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
        return self.document.lines[self.line][: self.character]

    @cached_property
    def line_suffix(self) -> str:
        """The cursor line from the cursor to its end."""
        return self.document.lines[self.line][self.character :]

    @cached_property
    def lines_above(self) -> tuple[str, ...]:
        """The lines above the cursor line, first to last."""
        return self.document.lines[: self.line]

    @cached_property
    def lines_below(self) -> tuple[str, ...]:
        """The lines below the cursor line, first to last."""
        return self.document.lines[self.line + 1 :]

    @property
    def indentation(self) -> str:
        """The white space that the cursor line starts with, up to the cursor at most."""
        before = self.line_prefix
        return before[: len(before) - len(before.lstrip(" \t"))]
