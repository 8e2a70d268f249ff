"""How long typing must rest before the model is asked, by how fast the user types and how fast it answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

SHORTEST_S = 0.075
LONGEST_S = 0.15
PAUSE_S = 1.0
"""From this gap on two keys do not belong to the same stretch of typing."""
USUAL_GAP_S = 0.2
"""Between two keys of somebody of whom no gap is known yet."""
MOST_GAPS = 32
MOST_ANSWERS = 16


class Rhythm:
    """What was seen of one client's typing, and of the model that answers it; all times in seconds.

    To wait spares the model a question that the next key makes void, and delays every other one. It is
    worth it only if that key is likely to come before the answer, and within the wait.
    """

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=MOST_GAPS)
        self._answers: deque[float] = deque(maxlen=MOST_ANSWERS)
        self._last_key: float | None = None

    def pressed(self, now: float) -> None:
        """A key changed a document by one character."""
        if self._last_key is not None and now - self._last_key < PAUSE_S:
            self._gaps.append(now - self._last_key)
        self._last_key = now

    def answered(self, seconds: float) -> None:
        """The model was asked, and so long after that there was something to show or an end."""
        self._answers.append(seconds)

    def wait_s(self, *, is_free: bool) -> float:
        """How long to wait for another key; 0 if the model is free and answers before it would come."""
        gap = _median(self._gaps) if self._gaps else USUAL_GAP_S
        if is_free and self._answers and _median(self._answers) <= gap:
            return 0.0
        # A gap that is longer than any wait is not waited for: what is left are bursts.
        return max(SHORTEST_S, gap) if gap <= LONGEST_S else SHORTEST_S


def _median(values: Collection[float]) -> float:
    return sorted(values)[len(values) // 2]
