"""Keep one line where one line was asked for, or where words follow the cursor."""

from __future__ import annotations

import re
from dataclasses import replace

from lsp_server.completion.brackets import balance
from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import Drop, FilterContext
from lsp_server.completion.text import has_word

_FIRST_WRITTEN = re.compile(r"\s*[^\n]*")


def keep_one_line(suggestion: Suggestion, context: FilterContext) -> Suggestion | Drop:
    """Cut after the first line; in mid-line drop it unless that line comes to what follows the cursor.

    At the end of a line the one line may be the next: its line end is kept.
    """
    first, line_end, _ = suggestion.text.partition("\n")
    if not context.one_line or not line_end:
        return suggestion
    if not context.snapshot.line_suffix.strip():
        found = _FIRST_WRITTEN.match(suggestion.text)
        return replace(suggestion, text=found.group() if found else "")
    if not _reaches_tail(first, context.snapshot):
        return Drop(keep_one_line.__name__)
    return replace(suggestion, text=first.rstrip())


def _reaches_tail(line: str, snapshot: Snapshot) -> bool:
    """Whether a line ends in the rest of the cursor line, or closes what that rest closes."""
    tail = snapshot.line_suffix.strip()
    if has_word(tail):
        return line.rstrip().endswith(tail)
    language = snapshot.document.language
    before = snapshot.line_prefix
    return balance(before + line, language).unclosed <= balance(before + tail, language).unclosed
