"""Is there something to complete here, and is it one line or a block?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp_server.completion.document import Snapshot


@dataclass(frozen=True)
class Ask:
    """How a completion was asked for.

    Attributes:
        invoked: the user asked for it with a key; otherwise it is typing that asks.
        candidates: how many suggestions are wanted at most.
        selected: text of the item selected in the editor's own list, which every suggestion must
            begin with; None when nothing is selected.
        selected_length: how many code points before the cursor that item replaces.
    """

    invoked: bool = False
    candidates: int = 1
    selected: str | None = None
    selected_length: int = 0


@dataclass(frozen=True)
class Skip:
    """Nothing is asked; ``rule`` names why."""

    rule: str


@dataclass(frozen=True)
class Go:
    """The model is asked, for a block or for one line."""

    multiline: bool
