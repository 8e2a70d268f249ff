"""Join a middle that begins on a new line to the blank line that the cursor already stands on."""

from __future__ import annotations

import re
from dataclasses import replace

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import FilterContext

_NEW_LINE = re.compile(r"(?:[ \t]*\n)+(?P<indentation>[ \t]*)(?=[^ \t\n])")


def join_start_line(suggestion: Suggestion, context: FilterContext) -> Suggestion:
    """Take away line ends before a line indented just as the blank cursor line is.

    At the margin the line ends stay: two blank lines between functions are wanted.
    """
    typed = context.snapshot.line_prefix
    found = _NEW_LINE.match(suggestion.text)
    if not typed or not typed.isspace() or found is None or found["indentation"] != typed:
        return suggestion
    return replace(suggestion, text=suggestion.text[found.end() :])
