"""Merge the blank before the cursor with the blank that a middle begins with."""

from __future__ import annotations

from dataclasses import replace

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import FilterContext


def merge_leading_space(suggestion: Suggestion, context: FilterContext) -> Suggestion:
    """Take leading blanks and tabs away after a blank; never line ends, and never indentation."""
    before = context.snapshot.line_prefix
    if not before.strip() or not before[-1].isspace():
        return suggestion
    return replace(suggestion, text=suggestion.text.lstrip(" \t"))
