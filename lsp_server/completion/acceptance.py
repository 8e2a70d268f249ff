"""What users did with what was suggested, and what it took to suggest it."""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.completion.item import Usage


@dataclass
class Statistics:
    """What became of the completions of a client; kept in memory, and there only.

    Attributes:
        shown: completions that were drawn.
        accepted: completions that were taken whole.
        accepted_in_part: UTF-16 units that were taken word by word or line by line.
        tokens_read: of prompts, without those that were in a cache.
        tokens_written: whatever became of them.
        tokens_given: those of them that were written for an answer with a suggestion.
    """

    shown: int = 0
    accepted: int = 0
    accepted_in_part: int = 0
    tokens_read: int = 0
    tokens_written: int = 0
    tokens_given: int = 0
    _last: tuple[str, int] = ("", 0)

    def took(self, completion_id: str, units: int) -> None:
        """Count the first ``units`` of a completion as taken; the number includes earlier ones."""
        before = self._last[1] if self._last[0] == completion_id else 0
        self.accepted_in_part += max(0, units - before)
        self._last = (completion_id, units)

    def spent(self, usage: Usage) -> None:
        """Count what the model did, for a suggestion or for nothing."""
        self.tokens_read += usage.prompt_tokens - usage.cached_tokens
        self.tokens_written += usage.completion_tokens
