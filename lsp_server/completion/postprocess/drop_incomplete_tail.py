"""Drop what a model was still writing when its tokens ran out."""

from __future__ import annotations

import re
from dataclasses import replace

from lsp_server.completion.brackets import balance
from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import Drop, FilterContext

_GAP = re.compile(r"[ \t]+")
_WHOLE = re.compile(r"[\w)\]}\"'`;.]\Z")
_LONE_WORD = re.compile(r"\s*\w+\Z")
"""A name, or the word that a statement begins with: neither is one."""
_DANGLING = re.compile(
    r"\b(?:and|as|await|else|for|from|if|import|in|instanceof|is|lambda|new|not|or|return|typeof|with"
    r"|yield)\Z"
)


def drop_incomplete_tail(suggestion: Suggestion, context: FilterContext) -> Suggestion | Drop:
    """Keep the whole lines of an answer cut by its length; of a single line, what can stand alone."""
    if context.finish_reason != "length":
        return suggestion
    head, line_end, last = suggestion.text.rpartition("\n")
    if head.strip():
        return replace(suggestion, text=head)
    before = context.snapshot.line_prefix if not line_end else ""
    kept = _standing_alone(before, last, context.snapshot.document.language)
    return replace(suggestion, text=head + line_end + kept) if kept else Drop(drop_incomplete_tail.__name__)


def _standing_alone(before: str, line: str, language: str) -> str:
    """The longest part of a line, in whole words, that leaves no bracket open and ends like an expression."""
    alone = sum(balance(before, language))
    for gap in reversed(list(_GAP.finditer(line))):
        part = line[: gap.start()]
        ends_well = _WHOLE.search(part) is not None and _DANGLING.search(part) is None
        is_word = _LONE_WORD.match(before + part) is not None
        if ends_well and not is_word and sum(balance(before + part, language)) <= alone:
            return part
    return ""
