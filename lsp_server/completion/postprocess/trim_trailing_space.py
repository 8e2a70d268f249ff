"""Trim the white space at the ends of lines, which nobody sees."""

from __future__ import annotations

from dataclasses import replace

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import FilterContext


def trim_trailing_space(suggestion: Suggestion, context: FilterContext) -> Suggestion:
    """Trim each line, and the end unless something follows the cursor on its line.

    Two blanks at the end of a Markdown line are a line break and stay.
    """
    *lines, last = suggestion.text.split("\n")
    if context.snapshot.document.language != "markdown":
        lines = [line.rstrip(" \t") for line in lines]
    text = "\n".join([*lines, last])
    return replace(suggestion, text=text if context.snapshot.line_suffix.strip() else text.rstrip())
