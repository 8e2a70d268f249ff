"""What users did with what was suggested."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Statistics:
    """What became of the completions of a client; kept in memory, and there only.

    Attributes:
        shown: completions that were drawn.
        accepted: completions that were taken whole.
        accepted_in_part: UTF-16 units that were taken word by word or line by line.
    """

    shown: int = 0
    accepted: int = 0
    accepted_in_part: int = 0
    _last: tuple[str, int] = ("", 0)

    def took(self, completion_id: str, units: int) -> None:
        """Count the first ``units`` of a completion as taken; the number includes earlier ones."""
        before = self._last[1] if self._last[0] == completion_id else 0
        self.accepted_in_part += max(0, units - before)
        self._last = (completion_id, units)
