"""Cut the closing lines that a block already has in the file."""

from __future__ import annotations

from dataclasses import replace

from lsp_server.completion.brackets import balance
from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import FilterContext
from lsp_server.completion.text import is_closing_line, lines_below, opens_block


def cut_closed_blocks(suggestion: Suggestion, context: FilterContext) -> Suggestion:
    """Cut closing lines at the end that are the next lines of the file, unless they close the middle's own.

    The last may be the beginning of a file line, as ``}`` is of ``} else {``.
    """
    snapshot = context.snapshot
    tail = snapshot.line_suffix.strip()
    if tail and not opens_block(tail):
        return suggestion  # the closing lines belong to those that follow the cursor on its line
    lines = suggestion.text.split("\n")
    for at in _closed_in_file(lines, snapshot):
        kept = "\n".join(lines[:at]).rstrip()
        if _offset(kept, snapshot) <= _offset(suggestion.text, snapshot):
            return replace(suggestion, text=kept)
    return suggestion


def _closed_in_file(lines: list[str], snapshot: Snapshot) -> list[int]:
    """Where closing lines begin that are the next lines of the file, the longest stretch first."""
    written = [snapshot.line_prefix + lines[0], *lines[1:]]
    starts: list[int] = []
    closing: list[str] = []
    for at in range(len(lines) - 1, -1, -1):
        line = written[at].rstrip()
        if line and not is_closing_line(line):
            break
        if line:
            closing.insert(0, line)
            if _begin(closing, lines_below(snapshot, len(closing))):
                starts.insert(0, at)
    return starts


def _begin(closing: list[str], below: list[str]) -> bool:
    """Whether the file goes on with these lines; the last of them may be cut short."""
    if len(below) < len(closing):
        return False
    return closing[:-1] == below[:-1] and below[-1].startswith(closing[-1])


def _offset(text: str, snapshot: Snapshot) -> int:
    """How far the line is, with the text, from what the lines below it expect to be open."""
    language = snapshot.document.language
    expected = balance(snapshot.line_prefix + snapshot.line_suffix, language)
    return balance(snapshot.line_prefix + text, language).distance(expected)
