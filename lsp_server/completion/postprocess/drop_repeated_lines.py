"""Drop a line that a model repeats over and over, and all that follows it."""

from __future__ import annotations

from dataclasses import replace

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import Drop, FilterContext


def drop_repeated_lines(suggestion: Suggestion, context: FilterContext) -> Suggestion | Drop:
    """Cut before the first of three identical lines in a row; two are left, for people write them."""
    first, *rest = suggestion.text.split("\n")
    lines = [context.snapshot.line_prefix + first, *rest]
    written = [at for at, line in enumerate(lines) if line.strip()]
    for one, two, three in zip(written, written[1:], written[2:], strict=False):
        if lines[one] == lines[two] == lines[three]:
            kept = "\n".join([first, *rest][:one])
            return replace(suggestion, text=kept) if kept.strip() else Drop(drop_repeated_lines.__name__)
    return suggestion
