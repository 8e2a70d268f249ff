"""Align the first line of a middle on a blank line whose indentation is already typed."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, pairwise

from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import FilterContext
from lsp_server.completion.text import indentation_width, line_above, opens_block

_LINES_SEEN = 200


def align_indentation(suggestion: Suggestion, context: FilterContext) -> Suggestion:
    """Take away indentation that would put the line deeper than the line above allows."""
    typed = context.snapshot.line_prefix
    line = suggestion.text.lstrip(" \t")
    lead = suggestion.text[: len(suggestion.text) - len(line)]
    if not typed or typed.strip() or not lead or line.startswith("\n"):
        return suggestion
    deepest = _deepest(context.snapshot)
    # Whole when the user has typed a part of it; less what is typed when the model began at the margin.
    for kept in (lead, lead.removeprefix(typed)):
        if indentation_width(typed + kept) <= deepest:
            return replace(suggestion, text=kept + line)
    return replace(suggestion, text=line)


def _deepest(snapshot: Snapshot) -> int:
    """Columns that a line after the nearest one above can be indented by at most."""
    above = line_above(snapshot)
    return indentation_width(above) + (_unit(snapshot) if opens_block(above) else 0)


def _unit(snapshot: Snapshot) -> int:
    """Columns that a body is indented by in this file; 4 when nothing shows it."""
    near = list(islice(snapshot.above(), _LINES_SEEN))
    lines = [line for line in reversed(near) if line.strip()]
    steps = (
        indentation_width(below) - indentation_width(line)
        for line, below in pairwise(lines)
        if opens_block(line)
    )
    return min((step for step in steps if step > 0), default=4)
