"""What users did with what was suggested, and what it took to suggest it."""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.completion.item import Usage


@dataclass
class Written:
    """What the model wrote for an answer.

    Attributes:
        tokens: of them, those not yet counted as given.
        is_given: whether a suggestion was made of it; the tokens may be told only later.
    """

    tokens: int = 0
    is_given: bool = False


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

    def was_shown(self, completion_id: str) -> None:
        """The editor drew this completion."""
        self.shown += bool(completion_id)

    def was_accepted(self, completion_id: str) -> None:
        """The user took this completion."""
        self.accepted += bool(completion_id)

    def was_accepted_in_part(self, completion_id: str, units: int) -> None:
        """The user took the first UTF-16 units of this completion; the number includes earlier ones."""
        if not completion_id:
            return
        before = self._last[1] if self._last[0] == completion_id else 0
        self.accepted_in_part += max(0, units - before)
        self._last = (completion_id, units)

    def gave(self, written: Written) -> None:
        """Count what was written for an answer as given, the first time that it is."""
        written.is_given = True
        self.tokens_given += written.tokens
        written.tokens = 0

    def ended(self, written: Written, tokens: int) -> None:
        """Take in how much was written in the end, for an answer that may have been given before."""
        written.tokens = tokens
        if written.is_given:
            self.gave(written)

    def spent(self, usage: Usage) -> None:
        """Count what the model did, for a suggestion or for nothing."""
        self.tokens_read += usage.prompt_tokens - usage.cached_tokens
        self.tokens_written += usage.completion_tokens
