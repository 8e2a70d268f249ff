"""Cut a middle where it ends a triple-quoted string that the file ends itself."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import Drop, FilterContext

_COUNTED = {'"""': attrgetter("double_quotes"), "'''": attrgetter("single_quotes")}


def cut_at_string_end(suggestion: Suggestion, context: FilterContext) -> Suggestion | Drop:
    """What is written of the string alone; the quotes that end it, and what comes then, stand there."""
    snapshot = context.snapshot
    for quotes in _COUNTED:
        if quotes in suggestion.text and _is_inside(quotes, snapshot):
            text = suggestion.text.partition(quotes)[0]
            return replace(suggestion, text=text if snapshot.line_suffix.strip() else text.rstrip())
    return suggestion


def _is_inside(quotes: str, snapshot: Snapshot) -> bool:
    """Whether such a string is open before the cursor and closed behind it."""
    count, line = _COUNTED[quotes], snapshot.line_prefix + snapshot.line_suffix
    before = count(snapshot.counts_above) + snapshot.line_prefix.count(quotes)
    after = count(snapshot.counts_below) - line.count(quotes) + snapshot.line_suffix.count(quotes)
    return bool(before % 2 and after % 2)
