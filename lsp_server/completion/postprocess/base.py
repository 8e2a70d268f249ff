"""What a filter is: a function from one suggestion to a better one, or to the reason why it is dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Suggestion
from lsp_server.completion.text import has_word


@dataclass(frozen=True)
class FilterContext:
    """What a filter knows besides the suggestion.

    Attributes:
        snapshot: the document and the cursor the model was asked about.
        multiline: whether a block was asked for.
        finish_reason: why the generation ended; ``length`` means in the middle of something.
    """

    snapshot: Snapshot
    multiline: bool
    finish_reason: str

    @property
    def one_line(self) -> bool:
        """Whether only one line can be shown: none more was asked for, or words follow the cursor."""
        return not self.multiline or has_word(self.snapshot.line_suffix)


@dataclass(frozen=True)
class Drop:
    """The suggestion is not worth showing; ``rule`` is the name of the filter that says so."""

    rule: str


Filter = Callable[[Suggestion, FilterContext], Suggestion | Drop]
"""One step; the text has ``\\n`` line ends, ``replaces`` never reaches past the cursor line."""
