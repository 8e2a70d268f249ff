"""Whether something is missing at the cursor for certain, whatever a model says."""

from __future__ import annotations

from lsp_server.completion.brackets import comment_start, last_open, unopened
from lsp_server.completion.document import Snapshot
from lsp_server.completion.scope import is_in_string

_PROSE = frozenset({"latex", "markdown", "mdx", "plaintext", "quarto", "restructuredtext", "rmd"})
_STRINGS_OVER_LINES = frozenset(
    {"html", "perl", "php", "powershell", "ruby", "shellscript", "sql", "xml", "yaml"}
)
_LINE_SEEN = 500
_SEEN_BELOW = 5000
"""Characters; a list or a table may be longer."""


def is_left_open(snapshot: Snapshot, written: str = "") -> bool:
    """Whether a line has a bracket open at its end that nothing below closes, or a quote.

    A quote counts in languages whose strings end with their line; a brace at the end of a line begins a
    block. Where anything stands behind the cursor on its line nothing is known.

    Args:
        snapshot: the cursor is at the end of the line.
        written: what is added to it.
    """
    language, line = snapshot.document.language, (snapshot.line_prefix + written)[-_LINE_SEEN:]
    if language in _PROSE or snapshot.line_suffix.strip() or is_in_string(snapshot) or '"""' in line:
        return False
    if comment_start(line, language) < len(line):
        return False
    mark = last_open(line, language)
    if mark in ("", "`") or (mark == "{" and line.rstrip().endswith(mark)):
        return False
    if mark in "\"'":
        return language not in _STRINGS_OVER_LINES
    below = snapshot.suffix[:_SEEN_BELOW]
    closed_below = unopened(below, language)[:1]
    return closed_below != mark and bool(closed_below or mark == "(" or len(below) < _SEEN_BELOW)
