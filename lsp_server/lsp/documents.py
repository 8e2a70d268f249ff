r"""The open documents, kept in step with the editor edit by edit.

A document is held as its lines, each with its end, and a line ends only where LSP says so (``\n``,
``\r\n``, ``\r``): ``str.splitlines`` would also split at form feeds, NEL and U+2028, and an
edit below one of those would then land on the wrong line.

What is given out is made from what was given out before, so that a key costs a copy of the text and no more.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable

from lsprotocol import types

from lsp_server.completion.document import Document, newlines
from lsp_server.lsp.convert import Encoding, code_points

MOST_CHARACTERS = 8_000_000
"""A longer document gets no suggestions."""
LONGEST_LINE = 20_000
"""Nor does one with a longer line, in characters, near the cursor: it is data, not code."""
LINES_NEAR = 200
MOST_SPLICED = 16
"""Edits that nobody has looked between; after more the text is put together anew, from its lines."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def split_lines(text: str) -> list[str]:
    """The lines with their ends; a text that ends in a line end, or is empty, has a last, empty line."""
    lines = io.StringIO(text, newline="").readlines()
    if not lines or lines[-1].endswith(("\n", "\r")):
        lines.append("")
    return lines


class OpenDocument:
    """One document as the editor shows it.

    Args:
        item: what the editor opened.
        encoding: the unit in which the editor counts characters.
    """

    def __init__(self, item: types.TextDocumentItem, encoding: Encoding) -> None:
        self.uri = item.uri
        self.language = str(item.language_id)
        self.version: int | None = item.version
        self._encoding = encoding
        self._frozen: Document | None = None
        self._spliced = 0
        self._take(item.text)

    @property
    def document(self) -> Document:
        """The document at this moment; the same object until the next edit."""
        self._spliced = 0
        if self._frozen is None:
            source = "".join(self._lines)
            self._frozen = Document.from_source(self.uri, self.language, source, self.version)
        return self._frozen

    def apply(self, change: types.TextDocumentContentChangeEvent, version: int | None = None) -> None:
        """Follow one edit, which becomes ``version``."""
        self.version = version
        if isinstance(change, types.TextDocumentContentChangePartial):
            start, end = sorted((self._place(change.range.start), self._place(change.range.end)))
            self._replace(start, end, change.text)
        else:
            self._take(change.text)

    def is_too_large_at(self, line: int) -> bool:
        """Whether the document, or a line near ``line`` (0-based), is too long to be looked at."""
        line = min(line, len(self._lines) - 1)
        near = self._lines[max(0, line - LINES_NEAR) : line + LINES_NEAR]
        return self._characters > MOST_CHARACTERS or max(map(len, near)) > LONGEST_LINE

    def _take(self, text: str) -> None:
        text = _valid(text)
        self._lines = split_lines(text)
        self._ends = Counter(_ends(self._lines))
        self._characters = len(text)
        self._frozen = None

    def _place(self, position: types.Position) -> tuple[int, int]:
        """Line and column in code points, clamped into the text; the column before the line's end."""
        last = len(self._lines) - 1
        if position.line > last:
            return last, len(self._lines[last])
        content = self._lines[position.line].rstrip("\r\n")
        return position.line, code_points(content, position.character, self._encoding)

    def _replace(self, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        (first, column), (last, end_column) = start, end
        changed = self._lines[first][:column] + _valid(text) + self._lines[last][end_column:]
        if first > 0 and self._lines[first - 1].endswith("\r"):
            first -= 1  # the new text may begin with the \n that completes this line end
            changed = self._lines[first] + changed
        fresh = split_lines(changed)
        if last + 1 < len(self._lines):
            fresh.pop()  # the empty line after the last line end: the next line stands there already
        gone = self._lines[first : last + 1]
        self._characters += len(changed) - sum(map(len, gone))
        self._lines[first : last + 1] = fresh
        if (ends := _ends(fresh)) != (ends_before := _ends(gone)):
            self._ends.update(ends)
            self._ends.subtract(ends_before)
        self._splice(first, gone, fresh)

    def _splice(self, first: int, gone: list[str], fresh: list[str]) -> None:
        """Carry an edit of whole lines over to the document that was given out last."""
        before, self._frozen = self._frozen, None
        self._spliced += 1
        if before is None or self._spliced > MOST_SPLICED or (start := before.start_of(first)) is None:
            return
        end = start + len(newlines("".join(gone)))
        self._frozen = before.edited(start, end, newlines("".join(fresh)), self.version, self._eol)

    @property
    def _eol(self) -> str:
        if self._ends["\r\n"]:
            return "\r\n"
        return "\r" if self._ends["\r"] and not self._ends["\n"] else "\n"


def _ends(lines: Iterable[str]) -> list[str]:
    """What each line ends in; for one that ends in nothing, what it ends with."""
    return ["\r\n" if line.endswith("\r\n") else line[-1:] for line in lines]


def _valid(text: str) -> str:
    """The text without halves of surrogate pairs, which JSON can carry and no tokenizer can read."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


class OpenDocuments:
    """The documents that the editor has opened and not closed, by URI."""

    def __init__(self) -> None:
        self._open: dict[str, OpenDocument] = {}

    def find(self, uri: str) -> OpenDocument | None:
        """The open document, or None."""
        return self._open.get(uri)

    def all(self) -> list[Document]:
        """All open documents at this moment."""
        return [opened.document for opened in self._open.values()]

    def open(self, item: types.TextDocumentItem, encoding: Encoding) -> None:
        """Begin to follow a document."""
        self._open[item.uri] = OpenDocument(item, encoding)

    def change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Follow the edits of a document; those of one that was never opened say nothing."""
        if (document := self.find(params.text_document.uri)) is not None:
            for change in params.content_changes:
                document.apply(change, params.text_document.version)

    def close(self, uri: str) -> None:
        """Let go of a document, open or not."""
        self._open.pop(uri, None)
