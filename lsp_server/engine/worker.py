"""The one background thread that owns the model: load, warm up, prefill, decode, stop."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing

from lsp_server.backends.base import (
    PREFILL_PIECE_TOKENS,
    Backend,
    FinishReason,
    GenerationRequest,
    OnProgress,
    Report,
    SamplingParams,
)
from lsp_server.engine.job import Job, Model, Outcome, Prepared, State, Status
from lsp_server.engine.probe import settled
from lsp_server.engine.scheduler import Scheduler
from lsp_server.engine.writing import Writing
from lsp_server.errors import (
    BackendError,
    EndpointError,
    FimLsError,
    ModelError,
    ModelLoadError,
    OutOfMemoryError,
)

logger = logging.getLogger(__name__)

Clock = Callable[[], float]
MakeBackend = Callable[[OnProgress, Callable[[], bool]], Prepared]
"""Fetches what is missing and makes a backend, not yet loaded, with the prompt formats of its model; asks now
and then whether to give up."""

FIRST_BACK_OFF_S = 2.0
LAST_BACK_OFF_S = 300.0
LAST_ENDPOINT_BACK_OFF_S = 10.0
"""To look whether an engine is up costs nothing, and someone may just be starting it."""
WARM_UP = "".join(f"def add_{number}(value):\n    return value + {number}\n\n\n" for number in range(12))
"""Enough to measure by how fast prompts are read."""


class Worker:
    """Takes jobs from a scheduler and runs them on the model, one at a time.

    A model that fails to load, or that runs out of memory, is loaded anew at the first job after a
    pause; the pause doubles from one failure to the next, and jobs in between fail at once.

    Args:
        scheduler: where the jobs come from.
        make_backend: gets the backend; called on the worker's thread.
        publish: told each new status, on the worker's thread.
        clock: seconds, monotonic.
        pause_s: for how long to leave the model alone at first, in seconds.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        make_backend: MakeBackend,
        publish: Callable[[Status], None],
        clock: Clock = time.monotonic,
        *,
        pause_s: float = 0.0,
    ) -> None:
        self._scheduler = scheduler
        self._make_backend = make_backend
        self._publish = publish
        self._clock = clock
        self._backend: Backend | None = None
        self._model: Model | None = None
        self._notice = ""
        self._failure = "The model is not loaded."
        self._logged = ""
        self._retry_at = clock() + pause_s
        self._back_off_s = FIRST_BACK_OFF_S
        self._stale = not pause_s
        self._retired = False
        self._current: Job | None = None
        self._generates = False
        self._last_sign = clock()
        self._thread = threading.Thread(target=self._run, name="fim-ls worker", daemon=True)

    def start(self) -> None:
        """Begin to load the model, then serve."""
        self._thread.start()

    def reload(self, make_backend: MakeBackend) -> None:
        """Drop the model and load another one, as soon as the running job has stopped."""
        self._make_backend = make_backend
        self._stale = True
        if (job := self._current) is not None:
            job.leave("cancelled")
        self._scheduler.wake()

    def retire(self) -> None:
        """Take no further job; the thread ends when the backend lets it."""
        self._retired = True
        self._scheduler.wake()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; whether it ended."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def current(self) -> Job | None:
        """The job that the model is on."""
        return self._current

    @property
    def silent_s(self) -> float:
        """For how many seconds a model that generates has shown no sign of life, whoever waits for it."""
        return self._clock() - self._last_sign if self._generates else 0.0

    def _run(self) -> None:
        while not (self._retired or self._scheduler.closed):
            if self._stale:
                self._stale = False
                self._unload()
                self._load()
            job = self._scheduler.take(lambda: self._stale or self._retired)
            if job is not None:
                self._serve(job)
        self._unload()

    def _load(self) -> None:
        self._notice = ""
        self._publish(Status(State.LOADING))
        try:
            prepared = self._make_backend(self._on_progress, self._gives_up)
            self._backend, self._notice = prepared.backend, prepared.notice
            self._model = settled(prepared, self._backend.load(self._on_progress), self._try)
            self._warm_up()
        except EndpointError as error:
            self._fail(str(error), LAST_ENDPOINT_BACK_OFF_S)
        except FimLsError as error:
            self._fail(str(error))
        except Exception as error:
            logger.debug("loading failed", exc_info=True)
            self._fail(f"The model could not be loaded ({type(error).__name__}).")
        else:
            self._back_off_s = FIRST_BACK_OFF_S
            gc.freeze()  # else all modules and the model are gone through now and then, while one types
            self._publish_state(State.READY)

    def _warm_up(self) -> None:
        """Read a little and write one token: the first request is to find everything in place."""
        if self._model is None or self._model.loaded.tokenizer is None:
            return
        ids, started = self._model.loaded.tokenizer.encode(WARM_UP)[:PREFILL_PIECE_TOKENS], self._clock()
        self._try(GenerationRequest(WARM_UP, tuple(ids), sampling=SamplingParams(max_new_tokens=1)))
        self._model.speed.took_to_read(len(ids), self._clock() - started)

    def _try(self, request: GenerationRequest) -> tuple[str, FinishReason]:
        """The answer to a request that belongs to no job."""
        assert self._backend is not None  # noqa: S101 - only a model that was loaded is tried
        self._generates, self._last_sign = True, self._clock()
        text, report = "", Report()
        try:
            with closing(self._backend.generate(request, report)) as pieces:
                for piece in pieces:
                    text, self._last_sign = text + piece, self._clock()
                    if self._gives_up():
                        raise ModelLoadError("Loading the model was given up.")
        finally:
            self._generates = False
        return text, report.finish_reason

    def _on_progress(self, share: float) -> None:
        self._publish(Status(State.LOADING, message=self._notice, progress=share))

    def _gives_up(self) -> bool:
        return self._stale or self._retired or self._scheduler.closed

    def _fail(self, sentence: str, longest_s: float = LAST_BACK_OFF_S) -> None:
        """Go without a model until the pause is over."""
        self._unload()
        self._failure = sentence
        self._retry_at = self._clock() + self._back_off_s
        self._back_off_s = min(2 * self._back_off_s, longest_s)
        if not self._gives_up():
            self._log_once(sentence)
            self._publish(Status(State.ERROR, message=sentence))

    def _log_once(self, sentence: str) -> None:
        """Log a failure, but not again while it is the only thing that happens."""
        if sentence != self._logged:
            logger.error("%s", sentence)
        self._logged = sentence

    def _unload(self) -> None:
        backend, self._backend, self._model = self._backend, None, None
        gc.unfreeze()
        if backend is not None:
            try:
                backend.close()
            except Exception:  # a device that failed may fail here again; the thread must live on
                logger.warning("The model could not be released in order.")
                logger.debug("closing failed", exc_info=True)

    def _serve(self, job: Job) -> None:
        if self._model is None and self._clock() >= self._retry_at:
            self._load()
        self._current, self._last_sign, self._generates = job, self._clock(), True
        outcome = Outcome(finish_reason="failed", error=self._failure)
        if self._model is not None:
            self._publish_state(State.BUSY)
            outcome = self._attempt(job)
        self._current, self._generates = None, False
        self._scheduler.done(job)
        if self._model is not None and not self._retired:
            self._publish_state(State.READY)
        job.finish(outcome)

    def _attempt(self, job: Job) -> Outcome:
        """Run a job; a failure costs this job, and the model where it cannot be trusted any more."""
        try:
            outcome = self._complete(job)
        except OutOfMemoryError as error:
            sentence = str(error)
            self._fail(sentence)
        except (BackendError, ModelError) as error:
            sentence = str(error)
        except Exception as error:
            logger.debug("generating failed", exc_info=True)
            sentence = f"The model failed unexpectedly ({type(error).__name__})."
        else:
            self._logged = ""
            return outcome
        self._log_once(sentence)
        return Outcome(finish_reason="failed", error=sentence)

    def _complete(self, job: Job) -> Outcome:
        assert self._backend is not None and self._model is not None  # noqa: S101, PT018 - _serve looked
        return Writing(job, self._backend, self._model, self._sign_of_life).outcome()

    def _sign_of_life(self) -> float:
        """The time, at which the model has just shown one."""
        self._last_sign = self._clock()
        return self._last_sign

    def _publish_state(self, state: State) -> None:
        if (model := self._model) is not None:
            self._publish(model.status(state))
