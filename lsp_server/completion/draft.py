"""What there is of a suggestion while the model still writes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess import FilterContext, postprocess
from lsp_server.completion.text import lines_below, non_blank, only_closes

LINES_TO_TELL = 3
"""Before so many it is not known whether the file goes on with nearly the same lines."""


@dataclass(frozen=True)
class Draft:
    """All that the model has written so far.

    Attributes:
        text: as generated.
        context: where, as the filters know it.
    """

    text: str
    context: FilterContext

    @cached_property
    def suggestion(self) -> Suggestion | None:
        """What would be suggested if the model had ended here; None for nothing."""
        return self._filtered(self.text)

    @cached_property
    def settled(self) -> str:
        """The whole lines that the suggestion begins with whatever is written next.

        Only a text that ends in going round can still be dropped as a whole.
        """
        if self.context.one_line or self.context.snapshot.line_suffix.strip():
            return ""
        whole = self._filtered(self.text[: self.text.rfind("\n") + 1])
        lines = whole.text.split("\n") if whole else []
        settled = "\n".join(lines[: self._may_be_cut(lines)]).rstrip()
        if len(non_blank(settled.split("\n"))) < LINES_TO_TELL and self._has_lines_below:
            return ""
        alone = self._filtered(settled)  # it may be all that is left
        return settled if alone and alone.text == settled else ""

    def _may_be_cut(self, lines: list[str]) -> int:
        """Where the lines begin that may be cut: the last, repetitions, brackets that the file closes."""
        # The last line has lost the blanks at its end, which others keep in Markdown.
        before = self.context.snapshot.line_prefix
        written = [(line if at else before + line).rstrip() for at, line in enumerate(lines)]
        at = len(lines)
        while at > 0 and (not written[at - 1] or only_closes(written[at - 1])):
            at -= 1
        last = written[at - 1] if at else ""
        while at > 0 and (not written[at - 1] or written[at - 1] == last):
            at -= 1
        return min(at, _second_round(written))

    @property
    def _has_lines_below(self) -> bool:
        return bool(lines_below(self.context.snapshot, 1))

    def _filtered(self, text: str) -> Suggestion | None:
        processed = postprocess([text], replace(self.context, finish_reason="stop"))
        return processed.suggestions[0] if processed.suggestions else None


def _second_round(lines: list[str]) -> int:
    """Where the lines at the end begin that may come to repeat the lines before them, two or more."""
    numbers = [at for at, line in enumerate(lines) if line]
    written = [lines[at] for at in numbers]
    for begin, at in enumerate(numbers):
        tail = written[begin:]
        if any(written[first:begin][: len(tail)] == tail for first in range(begin - 1)):
            return at
    return len(lines)
