"""Who gets the model: one waiting place per key, the newest job wins, keys take turns, patient ones last."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lsp_server.engine.job import YIELDED, Job


class Scheduler:
    """The waiting places, shared by whoever submits and the one worker that takes.

    The lock is held to look and to swap, never while a model works. At most one job per key waits and one
    job in all runs, so the memory is bounded by the number of open documents.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, Job] = {}
        self._running: Job | None = None
        self._closed = False

    def submit(self, job: Job) -> None:
        """Let a job wait; an older one of its key is superseded, a patient one that runs gives way."""
        with self._changed:
            replaced, running = self._waiting.get(job.key), self._running
            # Assigning to a key that is there keeps its place: typing fast must not lose one's turn.
            self._waiting[job.key] = job
            closed = self._closed
            self._changed.notify_all()
        # The one that ran when we came: by now it may be the new job itself that runs.
        if running is not None and running.key == job.key:
            running.leave("superseded")
        elif running is not None and running.patient and not job.patient:
            running.leave(YIELDED)
        if replaced is not None:
            replaced.leave("superseded")
            replaced.abandon()
        if closed:
            self.drop(job.key, "cancelled")

    def drop(self, key: str, reason: str) -> None:
        """Nobody wants the jobs of a key any more: the waiting one ends, the running one stops."""
        with self._changed:
            waiting = self._waiting.pop(key, None)
        self._leave_running(key, reason)
        if waiting is not None:
            waiting.leave(reason)
            waiting.abandon()

    def cancel(self, job: Job, reason: str = "cancelled") -> None:
        """Nobody wants this very job any more."""
        with self._changed:
            waits = self._waiting.get(job.key) is job
            if waits:
                del self._waiting[job.key]
        job.leave(reason)
        if waits:
            job.abandon()

    def take(self, interrupted: Callable[[], bool]) -> Job | None:
        """Wait for the next job, which now runs; None once closed, or when woken and ``interrupted``."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed or interrupted())
            if self._closed or interrupted():
                return None
            first = min(self._waiting, key=lambda key: self._waiting[key].patient)
            self._running = self._waiting.pop(first)
            return self._running

    def done(self, job: Job) -> None:
        """The worker is through with a job."""
        with self._changed:
            if self._running is job:
                self._running = None
                self._changed.notify_all()

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        with self._changed:
            return self._running is None and not self._waiting

    def is_free_for(self, key: str) -> bool:
        """Whether nothing runs and nothing waits that a new job of this key would not take the place of."""
        with self._changed:
            jobs = [*self._waiting.values(), *([self._running] if self._running else [])]
        return all(job.key == key or job.patient for job in jobs)

    @property
    def closed(self) -> bool:
        """Whether no job is taken any more."""
        with self._changed:
            return self._closed

    def wake(self) -> None:
        """Let ``take`` ask again whether it is interrupted."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """End all jobs and refuse new ones."""
        with self._changed:
            self._closed = True
            keys = [*self._waiting, *([self._running.key] if self._running else [])]
            self._changed.notify_all()
        for key in keys:
            self.drop(key, "cancelled")

    def _leave_running(self, key: str, reason: str) -> None:
        with self._changed:
            running = self._running
        if running is not None and running.key == key:
            running.leave(reason)
