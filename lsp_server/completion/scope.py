"""Where a middle leaves the block that the cursor is in, told by indentation alone."""

from __future__ import annotations

import re

from lsp_server.completion.document import Snapshot
from lsp_server.completion.text import (
    indentation_width,
    line_above,
    lines_below,
    opens_block,
    starts_with_closer,
)

_CONTINUATION = re.compile(
    r"\s*(?:(?:elif|else|except|finally|catch|rescue|ensure)\b"
    r"|(?:case|when)\b.*[:{>]|(?:default|public|private|protected)\s*:|-\s)"
)
_DEFINITION = re.compile(
    r"\s*(?:@\w|(?:(?:abstract|async|default|export|final|inline|override|private|protected|pub|public|static)\s+)*"
    r"(?:def|class|fn|func|function|impl|struct|enum|trait|interface|module|namespace|type)\b)"
)
_BACKTICK_LANGUAGES = frozenset(
    {"go", "javascript", "javascriptreact", "svelte", "typescript", "typescriptreact", "vue"}
)
_PREPROCESSED = frozenset({"c", "cpp", "csharp", "objective-c"})


class Scope:
    """Follows the lines of a middle from the cursor on.

    ``admits`` asks whether a line still belongs to the block, ``take`` goes on over one that does. A
    statement that is being continued, or a block that is being opened, ends at the first line that is not
    deeper than the line it began on; siblings end where the indentation falls below their own.
    """

    def __init__(self, snapshot: Snapshot, first: str) -> None:
        """Begin on the cursor line, with what the middle adds to it."""
        self._language = snapshot.document.language
        self._tail_closes = starts_with_closer(snapshot.line_suffix)
        self._below = next(iter(lines_below(snapshot, 1)), None)
        self.in_string = self._closes_below = is_in_string(snapshot)
        self._flip_string(snapshot.line_prefix + first)
        self._limit: int | None = None
        self._level = 0
        self._is_definition = self._was_deeper = self._was_blank = self._closed = False
        line = snapshot.line_prefix + first
        if snapshot.line_prefix.strip():
            self._base = indentation_width(line)
            continued = bool(first.strip()) or opens_block(line)
            self._begin_block(line, self._base + 1 if continued else self._base)
        else:
            self._base = indentation_width(line_above(snapshot))
            if first.strip():
                self._begin_line(line)

    def admits(self, line: str) -> bool:
        """Whether a line still belongs to the block."""
        if not line.strip():
            return True
        if self.in_string:
            return not (self._closes_below and _triple_quotes(line) % 2)
        if self._language in _PREPROCESSED and line.startswith("#"):
            return True
        if self._closed:
            return False
        width = indentation_width(line)
        if self._limit is None or width >= self._limit:
            return not self._begins_next_block(line, width)
        return self._continues(line, width) or self._may_close(line, width)

    def take(self, line: str) -> None:
        """Go on over a line that was admitted."""
        inside = self.in_string
        self._flip_string(line)
        if inside:
            return
        if not line.strip():
            self._was_blank = self._was_deeper
            return
        width = indentation_width(line)
        if self._limit is None:
            self._begin_line(line)
        elif width < self._limit and starts_with_closer(line):
            self._closed = not self._continues(line, width)
        self._was_deeper = self._was_deeper or width > self._level
        self._was_blank = False

    def _begin_line(self, line: str) -> None:
        """Begin a line of its own: a sibling of the line above, its body, or a return to a level above."""
        self._begin_block(line, min(indentation_width(line), self._base + 1))

    def _begin_block(self, line: str, limit: int) -> None:
        self._limit = limit
        self._level = indentation_width(line)
        self._is_definition = _DEFINITION.match(line) is not None

    def _flip_string(self, line: str) -> None:
        """Count the quotes that let a string run over lines; lines inside one say nothing of blocks."""
        quotes = _triple_quotes(line)
        if self._language in _BACKTICK_LANGUAGES:
            quotes += line.count("`")
        self.in_string ^= bool(quotes % 2)

    def _begins_next_block(self, line: str, width: int) -> bool:
        """Whether a definition is over and another begins; at the margin, a block and anything."""
        if not self._was_deeper or not self._was_blank or width > self._level:
            return False
        if self._level > 0:
            return self._is_definition and _DEFINITION.match(line) is not None
        return not starts_with_closer(line)

    def _continues(self, line: str, width: int) -> bool:
        """Whether a line goes on with the statement that the block belongs to, as ``else`` does."""
        if self._limit is None or width != self._base or self._limit <= self._base:
            return False
        below = self._below or ""
        if indentation_width(below) == width and _CONTINUATION.match(below):
            return False  # the file goes on with it itself
        return _CONTINUATION.match(line) is not None or (starts_with_closer(line) and opens_block(line))

    def _may_close(self, line: str, width: int) -> bool:
        """Whether a closing line is wanted: the file does not close the block, nor goes on with it."""
        if not starts_with_closer(line):
            return False
        if self._tail_closes or self._below is None:
            return True
        below = indentation_width(self._below)
        if self._limit is not None and below >= self._limit:
            return False
        return below != width or not starts_with_closer(self._below)


def is_in_string(snapshot: Snapshot) -> bool:
    """Whether the cursor line begins in a string: one is open above it, and closed below."""
    above, below = snapshot.counts_above, snapshot.counts_below
    # A lone quote in a comment or a pattern must not turn the whole rest of a file into a string.
    return bool(
        (above.double_quotes + above.single_quotes) % 2 and (below.double_quotes + below.single_quotes) % 2
    )


def _triple_quotes(text: str) -> int:
    return text.count('"""') + text.count("'''")
