"""The engine as the rest of the server sees it: run a job, watch over the worker, tell the state."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from lsp_server.backends.base import OnProgress
from lsp_server.engine.job import Job, OnOutcome, Outcome, Prepared, State, Status
from lsp_server.engine.relay import on_this_loop
from lsp_server.engine.scheduler import Scheduler
from lsp_server.engine.worker import FIRST_BACK_OFF_S, LAST_BACK_OFF_S, Clock, Worker
from lsp_server.errors import EngineHungError
from lsp_server.settings import Settings

logger = logging.getLogger(__name__)

BUSY_AFTER_S = 0.05
"""Work that is over sooner is not told: a status bar would flicker with each key."""

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
        self._status = self._told = Status(State.LOADING)
        self._looks = False
        self._watches: dict[Job, asyncio.TimerHandle] = {}
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
        """Tell ``listener`` each new status, on whatever thread it arises; returns how to stop that.

        That there is work is told once it takes a while, though ``status`` knows at once.
        """
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
        arrived: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.submit(job, lambda outcome: None if arrived.done() else arrived.set_result(outcome))
        try:
            return await arrived
        except asyncio.CancelledError:
            self._scheduler.cancel(job)
            raise

    def submit(self, job: Job, on_outcome: OnOutcome) -> None:
        """Let a job wait for its turn, in place of one of its key, and watch over it.

        Args:
            job: what to do.
            on_outcome: told on this loop what it comes to.
        """
        job.on_outcome = on_this_loop(partial(self._arrived, job, on_outcome))
        self._watch_later(job)
        self.start()
        self._scheduler.submit(job)
        if not self._looks:
            self._look_later()

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

    def _arrived(self, job: Job, on_outcome: OnOutcome, outcome: Outcome) -> None:
        self._watches.pop(job).cancel()
        on_outcome(outcome)

    def _watch_later(self, job: Job) -> None:
        self._watches[job] = asyncio.get_running_loop().call_later(job.deadline_s, self._watch, job)

    def _watch(self, job: Job) -> None:
        """Give a worker up whose model has been silent on this job for longer than its deadline."""
        self._watch_later(job)
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
        is_known = status.state is State.READY and self._told == status
        if status.state is not State.BUSY and not is_known:
            self._tell(self._status)

    def _look_later(self) -> None:
        self._looks = True
        asyncio.get_running_loop().call_later(BUSY_AFTER_S, self._look)

    def _look(self) -> None:
        """Tell that there is work, if it is still going on; the worker tells the end of what was told."""
        self._looks, status = False, self._status
        if status.state is State.BUSY:
            self._tell(status)
            if self._status is not status:  # it may have ended before the worker saw that it was told
                self._tell(self._status)
        elif not self.idle:
            self._look_later()

    def _tell(self, status: Status) -> None:
        self._told = status
        for listener in tuple(self._listeners):
            listener(status)
