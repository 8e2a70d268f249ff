"""Drop closing brackets at the end of a middle that the next line of the file has."""

from __future__ import annotations

import re
from dataclasses import replace

from lsp_server.completion.brackets import unclosed, unopened
from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import FilterContext
from lsp_server.completion.text import line_above, lines_below, only_closes

_LAST_CLOSER = re.compile(r"\s*[)\]}][;,:]?\s*\Z")


def drop_closers_below(suggestion: Suggestion, context: FilterContext) -> Suggestion:
    """Leave open what the next line closes: brackets of the cursor line, or the one that it is in."""
    snapshot = context.snapshot
    language, text = snapshot.document.language, suggestion.text
    closed_below = "" if snapshot.line_suffix.strip() else _closed_below(snapshot)
    opened = unclosed(snapshot.line_prefix, language) or unclosed(line_above(snapshot), language)[-1:]
    both = min(len(opened), len(closed_below))
    if not both or opened[:both][::-1] != closed_below[:both]:
        return suggestion
    surplus = len(unopened(text, language)) - (len(opened) - both)
    for _ in range(surplus):
        shorter = _LAST_CLOSER.sub("", text)
        if len(unopened(shorter, language)) != len(unopened(text, language)) - 1:
            break
        text = shorter
    return replace(suggestion, text=text)


def _closed_below(snapshot: Snapshot) -> str:
    """The opening brackets that the next line closes, the innermost first, if it does nothing else."""
    below = next(iter(lines_below(snapshot, 1)), "")
    return unopened(below, snapshot.document.language) if only_closes(below) else ""
