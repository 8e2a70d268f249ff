"""How many cores there are, and on how many of them a batch of a prompt is read.

All cores read fastest on a machine that has nothing else to do. While others are busy, a build for example,
all threads wait at every step for the one that got no core, and one thread fewer reads up to twice as fast.
Nothing tells beforehand, so it is tried now and then.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

FEW_CORES = 4
"""Up to so many, one is left to the rest of the machine while tokens are written: that waits for memory more
than for cores, and where another thread has a core, all of them wait for the one that did not get it."""
TRIED_EVERY = 8
"""One batch in so many is read the other way, so that a change is noticed."""
TELLING_TOKENS = 32
NEWEST_SHARE = 0.5
"""What a measurement counts beside those before it: a machine gets busy from one moment to the next."""


def available_cores() -> int:
    """How many cores this process may run on; a container may leave it fewer than there are."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # of macOS and Windows
        return os.cpu_count() or 1


class BatchThreads:
    """Chooses between numbers of threads by how fast batches were read with each.

    Args:
        counts: the numbers, first the one that is expected to be best.
    """

    def __init__(self, counts: Sequence[int]) -> None:
        self._counts = tuple(dict.fromkeys(counts))
        self._seconds: dict[int, float] = {}
        self._batches = 0

    def choose(self, tokens: int) -> int:
        """With how many threads to read a batch."""
        if tokens < TELLING_TOKENS or len(self._counts) == 1:
            return self.best
        self._batches += 1
        if self._batches % TRIED_EVERY:
            return self.best
        others = [count for count in self._counts if count != self.best]
        return others[self._batches // TRIED_EVERY % len(others)]

    def took(self, count: int, tokens: int, seconds: float) -> None:
        """A batch was read with so many threads."""
        if tokens < TELLING_TOKENS:
            return
        each = seconds / tokens
        before = self._seconds.get(count, each)
        self._seconds[count] = (1 - NEWEST_SHARE) * before + NEWEST_SHARE * each

    @property
    def best(self) -> int:
        """The fastest so far; what was never tried counts as slower."""
        return min(self._counts, key=lambda count: self._seconds.get(count, float("inf")))
