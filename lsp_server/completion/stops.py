"""Early stops: what ends a generation while it is decoded, because the filters would cut the rest.

The filters decide what is shown; a stop only spares the model work, so it may let a little too much
through but must never end what a filter would keep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lsp_server.completion.document import Snapshot
from lsp_server.completion.postprocess.base import FilterContext
from lsp_server.completion.scope import Scope
from lsp_server.completion.text import (
    has_word,
    is_fence_foreign,
    is_nearly_line,
    lines_below,
    stammers,
)

_PIECES_SEEN = 60
_LOOPS = ((1, 10), (10, 30), (20, 45), (30, 60))
"""A period of at most so many pieces, kept up over so many, is a loop."""
_TOP_LEVEL = re.compile(
    r"(?:async def|class|def|export|fn|from|func|function|impl|import|interface|namespace|package|pub"
    r"|using)\b|@\w|#include\b"
)
_TELLING = re.compile(
    r"\s*(?!(?:case|when|default|public|private|protected|end|endif|fi|done|esac)\b)"
    r"(?:\w+\W|[^\w\s)\]}<-])"
)
"""An unfinished line of which enough is seen to tell where it belongs."""


def keep_going(context: FilterContext) -> Callable[[str], bool]:
    """What to call with all text so far, after each piece: True while more of it is wanted.

    The callable remembers what it has seen, so that each call looks at what is new only: it is good for
    one generation.
    """
    return EarlyStop(context)


class EarlyStop:
    """The stops of one generation, over a text that grows."""

    def __init__(self, context: FilterContext) -> None:
        self._context = context
        self._fence_is_foreign = is_fence_foreign(context.snapshot.document)
        self._indented = bool(context.snapshot.indentation)
        self._below = next(iter(lines_below(context.snapshot, 1)), "")
        self._seen = 0
        self._pieces: list[str] = []
        self._lines: list[str] = []
        self._line_start = 0
        self._scope: Scope | None = None

    def __call__(self, text: str) -> bool:
        """Whether more text is wanted after ``text``, which is all there is so far."""
        piece = text[self._seen :]
        self._seen = len(text)
        if not piece:
            return True
        self._pieces.append(piece)
        if repetition_stop(self._pieces[-_PIECES_SEEN:]):
            return False
        while (end := text.find("\n", self._line_start)) >= 0:
            if self._stops_after(text[self._line_start : end].rstrip("\r")):
                return False
            self._line_start = end + 1
        return not self._stops_within(text[self._line_start :])

    def _stops_after(self, written: str) -> bool:
        """Whether a line that has just ended is the last one wanted, or one too many."""
        snapshot = self._context.snapshot
        if self._context.one_line and single_line_stop(written, snapshot):
            return True
        line = written if self._lines else snapshot.line_prefix + written
        repeated = line_repeat_stop([*self._lines[-2:], line]) or stammers(line, snapshot.document)
        if repeated or line_below_stop(line, self._below) or self._leaves_scope(line):
            return True
        self._lines.append(line)
        if self._scope is None:
            self._scope = Scope(snapshot, written)
        else:
            self._scope.take(line)
        return False

    def _stops_within(self, line: str) -> bool:
        """Whether the beginning of a line already says that it is not wanted."""
        if self._scope is None or self._scope.in_string:
            return False
        if self._fence_is_foreign and fence_stop(line):
            return True
        if self._indented and top_level_stop(line):
            return True
        return line_begun_below_stop(line, self._below) or (
            _TELLING.match(line) is not None and self._leaves_scope(line)
        )

    def _leaves_scope(self, line: str) -> bool:
        return self._scope is not None and scope_exit_stop(line, self._scope)


def single_line_stop(written: str, snapshot: Snapshot) -> bool:
    """Stop a single line at its end; a line end at the end of the cursor line begins the next one."""
    return bool(written.strip() or snapshot.line_suffix.strip())


def fence_stop(line: str) -> bool:
    """Stop at a Markdown fence, where chatter follows."""
    return line.startswith("```")


def top_level_stop(line: str) -> bool:
    """Stop at a word at the margin that begins a definition or an import."""
    return _TOP_LEVEL.match(line) is not None


def scope_exit_stop(line: str, scope: Scope) -> bool:
    """Stop at a line that belongs to another block."""
    return not scope.admits(line)


def line_below_stop(line: str, below: str) -> bool:
    """Stop after a line that is the next line of the file, or nearly."""
    return has_word(line) and (line.rstrip() == below or is_nearly_line(line, below))


def line_begun_below_stop(line: str, below: str) -> bool:
    """Stop within a line that equals the next line of the file, where no word can go on."""
    return has_word(line) and line == below and not line[-1].isalnum()


def line_repeat_stop(lines: Sequence[str]) -> bool:
    """Stop after the third identical line in a row."""
    last = [line for line in lines[-3:] if line.strip()]
    return len(last) == 3 and last[0] == last[1] == last[2]


def repetition_stop(pieces: Sequence[str]) -> bool:
    """Stop when the last pieces go round, with or without line ends; blanks may be there to align."""
    written = [piece for piece in pieces if piece.strip(" \t")]
    return _goes_round(written) or _goes_round([piece for piece in written if piece.strip()])


def _goes_round(pieces: Sequence[str]) -> bool:
    borders = _borders(pieces[::-1])
    return any(
        len(pieces) >= window and window - borders[window - 1] <= longest_period
        for longest_period, window in _LOOPS
    )


def _borders(pieces: Sequence[str]) -> list[int]:
    """For each beginning, the length of its longest proper beginning that it also ends with."""
    borders = [0] * len(pieces)
    border = 0
    for at in range(1, len(pieces)):
        while border and pieces[at] != pieces[border]:
            border = borders[border - 1]
        border += pieces[at] == pieces[border]
        borders[at] = border
    return borders
