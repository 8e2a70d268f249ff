"""The engine as the rest of the server sees it: run a job, watch over the worker, tell the state."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from lsp_server.backends.base import OnProgress
from lsp_server.engine.job import Job, Outcome, Prepared, State, Status
from lsp_server.engine.scheduler import Scheduler
from lsp_server.engine.worker import FIRST_BACK_OFF_S, LAST_BACK_OFF_S, Clock, Worker
from lsp_server.errors import EngineHungError
from lsp_server.settings import Settings

logger = logging.getLogger(__name__)

Listener = Callable[[Status], None]
BackendBySettings = Callable[[Settings, OnProgress, Callable[[], bool]], Prepared]

MODEL_SETTINGS = (
    "model",
    "fim_format",
    "backend",
    "device",
    "dtype",
    "device_map",
    "max_memory",
    "offload_folder",
    "threads",
    "context_tokens",
    "max_new_tokens",
    "openai",
    "allow_pickle",
    "trust_remote_code",
)
"""What a loaded model depends on; changing one of them loads anew."""


def make_backend(settings: Settings, on_progress: OnProgress, gives_up: Callable[[], bool]) -> Prepared:
    """The backend of the settings; importing what it takes is left to the worker's thread."""
    from lsp_server.engine import loading  # noqa: PLC0415

    return loading.make_backend(settings, on_progress, gives_up)


def same_model(first: Settings, second: Settings) -> bool:
    """Whether both settings are served by the same loaded model."""
    return all(getattr(first, name) == getattr(second, name) for name in MODEL_SETTINGS)


def _asked_for(settings: Settings) -> str:
    return settings.openai.model if settings.openai.base_url else settings.model


class Engine:
    """One model for all clients of a process.

    Args:
        settings: which model.
        make_backend: gets a backend by the settings; called on the worker's thread.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        settings: Settings,
        make_backend: BackendBySettings = make_backend,
        clock: Clock = time.monotonic,
    ) -> None:
        self._settings = settings
        self._make_backend = make_backend
        self._clock = clock
        self._scheduler = Scheduler()
        self._worker: Worker | None = None
        self._listeners: list[Listener] = []
        self._status = Status(State.LOADING)
        self._hung_pause_s = 0.0

    @property
    def status(self) -> Status:
        """What the model is doing now."""
        return self._status

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return self._scheduler.idle

    def is_free_for(self, key: str) -> bool:
        """Whether a job of this key would be served at once."""
        return self._scheduler.is_free_for(key)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` each new status, on whatever thread it arises; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def start(self) -> None:
        """Begin to load the model; returns at once, and does nothing the second time."""
        if self._worker is None and not self._scheduler.closed:
            self._start_worker()

    def configure(self, settings: Settings) -> None:
        """Load another model where the settings ask for one; waiting jobs are answered by the new one."""
        changed = not same_model(self._settings, settings)
        self._settings = settings
        if changed and self._worker is not None:
            self._worker.reload(partial(self._make_backend, settings))

    def drop(self, key: str, reason: str) -> None:
        """Stop whatever runs or waits for a key."""
        self._scheduler.drop(key, reason)

    async def run(self, job: Job) -> Outcome:
        """Let a job have its turn; cancelling the awaiting task stops the model at its next token."""
        self.submit(job)
        try:
            return await self.outcome(job)
        except asyncio.CancelledError:
            self._scheduler.cancel(job)
            raise

    def submit(self, job: Job) -> None:
        """Let a job wait for its turn, in place of one of its key."""
        self.start()
        self._scheduler.submit(job)

    async def outcome(self, job: Job) -> Outcome:
        """What a job comes to; cancelling the awaiting task leaves it alone."""
        future = asyncio.wrap_future(job.future)
        while not future.done():
            await asyncio.wait({future}, timeout=job.deadline_s)
            if not future.done():
                self._watch(job)
        return future.result()

    def close(self, timeout_s: float = 1.0) -> bool:
        """Stop all work; whether the worker ended within ``timeout_s`` seconds."""
        self._scheduler.close()
        if self._worker is None:
            return True
        self._worker.retire()
        return self._worker.join(timeout_s)

    def _start_worker(self, pause_s: float = 0.0) -> None:
        worker = Worker(
            self._scheduler,
            partial(self._make_backend, self._settings),
            lambda status: self._publish(worker, status),
            self._clock,
            pause_s=pause_s,
        )
        self._worker = worker
        worker.start()

    def _watch(self, job: Job) -> None:
        """Give a worker up whose model has been silent on this job for longer than its deadline."""
        hung = self._worker
        if hung is None or hung.silent_s < job.deadline_s:
            return
        error = EngineHungError(
            f"The model gave no sign of life for {job.deadline_s:g} s and is loaded anew."
        )
        logger.error("%s", error)
        hung.retire()
        # The one it hangs on may have been cancelled long since; if it hangs in the warm-up, ours pays.
        stuck = hung.current or job
        self._scheduler.done(stuck)
        stuck.finish(Outcome(finish_reason="failed", error=str(error)))
        self._scheduler.cancel(stuck)
        # What hangs may hang again, and holds its memory: the first time at once, then after a while.
        self._start_worker(self._hung_pause_s)
        self._hung_pause_s = min(2 * self._hung_pause_s or FIRST_BACK_OFF_S, LAST_BACK_OFF_S)

    def _publish(self, worker: Worker, status: Status) -> None:
        if worker is not self._worker:  # a hung one that came back has nothing to say any more
            return
        # While it is not loaded a model goes by the name that was asked for.
        self._status = status if status.model else replace(status, model=_asked_for(self._settings))
        for listener in tuple(self._listeners):
            listener(self._status)
