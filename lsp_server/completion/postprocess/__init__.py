"""From what a model wrote to what is shown: filters in a fixed order, each with one reason to act.

The order matters. An unfinished tail can be told only while the text is whole, so it goes first; then
the shape is mended, then what the file already holds is taken out. How much of the cursor line is
replaced depends on the final text and is decided after everything that cuts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Stage, Suggestion
from lsp_server.completion.postprocess.align_indentation import align_indentation
from lsp_server.completion.postprocess.base import Drop, Filter, FilterContext
from lsp_server.completion.postprocess.cut_at_scope_end import cut_at_scope_end
from lsp_server.completion.postprocess.cut_at_stammer import cut_at_stammer
from lsp_server.completion.postprocess.cut_at_string_end import cut_at_string_end
from lsp_server.completion.postprocess.cut_closed_blocks import cut_closed_blocks
from lsp_server.completion.postprocess.cut_suffix_block import cut_suffix_block
from lsp_server.completion.postprocess.drop_already_typed import drop_already_typed
from lsp_server.completion.postprocess.drop_closers_below import drop_closers_below
from lsp_server.completion.postprocess.drop_duplicate_of_next_lines import drop_duplicate_of_next_lines
from lsp_server.completion.postprocess.drop_empty import drop_empty
from lsp_server.completion.postprocess.drop_incomplete_tail import drop_incomplete_tail
from lsp_server.completion.postprocess.drop_repeated_lines import drop_repeated_lines
from lsp_server.completion.postprocess.drop_repetition import drop_repetition
from lsp_server.completion.postprocess.drop_similar_to_next_lines import drop_similar_to_next_lines
from lsp_server.completion.postprocess.join_start_line import join_start_line
from lsp_server.completion.postprocess.keep_one_line import keep_one_line
from lsp_server.completion.postprocess.merge_leading_space import merge_leading_space
from lsp_server.completion.postprocess.remove_duplicates import remove_duplicates
from lsp_server.completion.postprocess.replace_line_tail import replace_line_tail
from lsp_server.completion.postprocess.strip_prompt_echo import strip_prompt_echo
from lsp_server.completion.postprocess.trim_trailing_space import trim_trailing_space

__all__ = ["FILTERS", "PLACE_FILTERS", "Drop", "Filter", "FilterContext", "Processed", "postprocess", "refit"]

FILTERS: tuple[Filter, ...] = (
    drop_incomplete_tail,
    strip_prompt_echo,
    join_start_line,
    merge_leading_space,
    align_indentation,
    keep_one_line,
    drop_repeated_lines,
    cut_at_stammer,
    cut_at_string_end,
    cut_at_scope_end,
    trim_trailing_space,
    drop_duplicate_of_next_lines,
    drop_similar_to_next_lines,
    cut_suffix_block,
    cut_closed_blocks,
    drop_closers_below,
    replace_line_tail,
    drop_repetition,
    drop_already_typed,
    drop_empty,
)
"""What a fresh answer of the model goes through, in this order."""

PLACE_FILTERS: tuple[Filter, ...] = (replace_line_tail, drop_already_typed, drop_empty)
"""What depends on the exact place: run again when the user has typed a part of a cached answer."""

_LINE_END = re.compile(r"\r\n?")


@dataclass(frozen=True)
class Processed:
    """What is left of the texts.

    Attributes:
        suggestions: in the order of the texts, no two alike.
        dropped_by: the filter that dropped the first text, None while a suggestion is left.
        stages: which filter did what to which candidate, in lengths; never source text.
    """

    suggestions: tuple[Suggestion, ...]
    dropped_by: str | None
    stages: tuple[Stage, ...]


def postprocess(
    texts: Sequence[str],
    context: FilterContext,
    filters: Sequence[Filter] = FILTERS,
    reasons: Sequence[str] = (),
) -> Processed:
    """What can be shown of the texts that a model wrote at the cursor, healed text not among them.

    Args:
        texts: one text for each candidate, any line ends.
        context: where they were written.
        filters: what each text goes through, in order.
        reasons: for each text why it ended; without them, all for the reason in ``context``.
    """
    stages: list[Stage] = []
    contexts = [replace(context, finish_reason=reason) for reason in reasons] or [context] * len(texts)
    results = [
        _filtered(candidate, text, its_context, filters, stages)
        for candidate, (text, its_context) in enumerate(zip(texts, contexts, strict=True))
    ]
    kept = [result for result in results if isinstance(result, Suggestion)]
    suggestions = remove_duplicates(kept)
    if len(suggestions) < len(kept):
        outcome = f"{len(kept)} -> {len(suggestions)} candidates"
        stages.append(Stage(remove_duplicates.__name__, outcome))
    dropped = (result.rule for result in results if isinstance(result, Drop))
    return Processed(suggestions, None if suggestions else next(dropped, None), tuple(stages))


def refit(suggestions: Sequence[Suggestion], place: Snapshot, *, multiline: bool) -> Processed:
    """What can be shown, at the place where the user is now, of what is left of an answer."""
    context = FilterContext(place, multiline, "stop")
    return postprocess([suggestion.text for suggestion in suggestions], context, PLACE_FILTERS)


def _filtered(
    candidate: int, text: str, context: FilterContext, filters: Sequence[Filter], stages: list[Stage]
) -> Suggestion | Drop:
    """One text through the filters; what they did is added to ``stages``."""
    suggestion = Suggestion(_LINE_END.sub("\n", text))
    for step in filters:
        result = step(suggestion, context)
        if isinstance(result, Drop):
            stages.append(Stage(result.rule, f"candidate {candidate}: dropped"))
            return result
        if result != suggestion:
            outcome = f"candidate {candidate}: {_measure(suggestion)} -> {_measure(result)}"
            stages.append(Stage(step.__name__, outcome))
        suggestion = result
    return suggestion


def _measure(suggestion: Suggestion) -> str:
    size = f"{len(suggestion.text)} characters"
    return f"{size} replacing {suggestion.replaces}" if suggestion.replaces else size
