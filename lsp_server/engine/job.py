"""What the engine is given, and what it gives back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from lsp_server.backends.base import Backend, FinishReason, GenerationRequest, LoadedModel
from lsp_server.completion.context import Count
from lsp_server.completion.fim import FimFormat
from lsp_server.completion.instruct import InstructFormat
from lsp_server.completion.item import Timings, Usage
from lsp_server.engine.speed import Speed

if TYPE_CHECKING:  # the catalogue behind it is not needed before a model is loaded
    from lsp_server.models.identity import Identity


class State(StrEnum):
    """What the model is doing, as editors are told in ``fim-ls/status``."""

    LOADING = "loading"
    READY = "ready"
    BUSY = "busy"
    OFF = "off"
    ERROR = "error"


@dataclass(frozen=True)
class Status:
    """The state of the model at one moment.

    Attributes:
        state: loading, ready, busy, off or error.
        model: its name for people.
        device: where it runs; empty while that is not known.
        message: one sentence; empty where the state says all.
        progress: share done while loading, 0 to 1, None where it cannot be told.
        instructs: whether the model is there and tuned on instructions.
        memory_bytes: what the weights take, measured; None while or where that is not known.
        identity: how the model is asked and why so; None while or where nothing had to be found out.
    """

    state: State
    model: str = ""
    device: str = ""
    message: str = ""
    progress: float | None = None
    instructs: bool = False
    memory_bytes: int | None = None
    identity: Identity | None = None

    @property
    def is_remote(self) -> bool:
        """Whether the model runs behind an address, where its work may cost others something."""
        return "://" in self.device


@dataclass(frozen=True)
class Outcome:
    """What a job came to.

    Attributes:
        texts: one text for each request of the job, as generated; none if it was cut short.
        reasons: for each text why it ended, ``stop`` or ``length``.
        finish_reason: the first text's, or ``superseded``, ``cancelled``, ``yielded`` or ``failed``.
        error: one sentence when it failed.
    """

    texts: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    finish_reason: str = "stop"
    usage: Usage = field(default_factory=Usage)
    timings: Timings = field(default_factory=Timings)
    error: str | None = None


Ask = Callable[[GenerationRequest], tuple[str, FinishReason]]
"""Has a request answered that belongs to no job: its text, and why it ended."""

Settle = Callable[[LoadedModel, Ask], "Identity"]
"""Finds out how a loaded model is asked, by trying it if need be."""


class Prepared(NamedTuple):
    """A backend that is not yet loaded, and how its model is asked.

    Attributes:
        backend: what runs the model.
        form: how it is asked for a middle, if there is nothing to settle.
        instruct: how it is given instructions; None for a model that was not tuned on them.
        notice: what the user is told while it loads, in a sentence; empty for nothing.
        settle: finds out how it is asked once it is loaded; None where that is certain.
    """

    backend: Backend
    form: FimFormat
    instruct: InstructFormat | None = None
    notice: str = ""
    settle: Settle | None = None


@dataclass(frozen=True)
class Model:
    """A model that is ready to be asked, and all that a prompt for it depends on.

    Attributes:
        loaded: what its backend says of it.
        form: the prompt format of its family.
        count: how many tokens a line has.
        instruct: how it is given instructions; None for a model that was not tuned on them.
        identity: why it is asked so; None where nothing had to be found out.
        speed: how fast it is here.
    """

    loaded: LoadedModel
    form: FimFormat
    count: Count
    instruct: InstructFormat | None = None
    identity: Identity | None = None
    speed: Speed = field(default_factory=Speed, compare=False)

    def status(self, state: State) -> Status:
        """What is told of it in a state."""
        loaded, instructs = self.loaded, self.instruct is not None
        return Status(
            state,
            loaded.name,
            loaded.device,
            instructs=instructs,
            memory_bytes=loaded.memory_bytes,
            identity=self.identity,
        )


Plan = Callable[[Model], tuple[GenerationRequest, ...]]
"""Makes the requests of a job once the model, and so its tokenizer, is known."""

KeepGoing = Callable[[str], bool]
"""Given all text so far, whether more of it is wanted."""

OnText = Callable[[str], None]
"""Told all text so far, whenever there is more of it."""

Note = Callable[[str, str], None]
"""Writes down what a stage did, for ``fim-ls.explain``."""

OnOutcome = Callable[[Outcome], None]
"""Told what a job came to."""

YIELDED = "yielded"
"""What a patient job is left for when another one comes."""


def _nothing(_model: Model) -> tuple[GenerationRequest, ...]:
    return ()


def _always(_text: str) -> bool:
    return True


def _for_ever() -> KeepGoing:
    return _always


def _unheard(_news: object) -> None:
    pass


@dataclass(eq=False)
class Job:
    """One piece of work for the worker: the requests of one completion, asked one after the other.

    Attributes:
        key: what it is about, usually the document's URI; a newer job of the same key replaces it.
        plan: makes the prompt, once for each candidate; called on the worker's thread.
        keep_going: makes, for each candidate, what is looked at after each piece; False ends
            the generation early, as ``stop``.
        deadline_s: how long the model may stay silent, in seconds.
        on_text: told the text of the request that is being answered, which is empty while a line is chosen;
            called on the worker's thread.
        on_outcome: told once what it came to; called on any thread.
        patient: whether it waits for all jobs that are not, and leaves, as ``yielded``, when one comes.
        created: when it was submitted, on the monotonic clock, in seconds.
    """

    key: str
    plan: Plan
    keep_going: Callable[[], KeepGoing] = _for_ever
    deadline_s: float = 30.0
    on_text: OnText = _unheard
    on_outcome: OnOutcome = _unheard
    patient: bool = False
    created: float = field(default_factory=time.monotonic)
    future: Future[Outcome] = field(default_factory=Future)
    _left: threading.Event = field(default_factory=threading.Event)
    _reason: str = "cancelled"

    def leave(self, reason: str) -> None:
        """Ask for the work to stop at its next token; ``reason`` becomes the finish reason.

        The first reason counts, but one that ends the work for good comes before ``yielded``.
        """
        if not self._left.is_set() or self._reason == YIELDED:
            self._reason = reason
            self._left.set()

    @property
    def age_s(self) -> float:
        """How long ago it was submitted, in seconds."""
        return time.monotonic() - self.created

    @property
    def reason(self) -> str:
        """What it was left for: ``superseded``, ``cancelled`` or ``yielded``."""
        return self._reason

    @property
    def left(self) -> bool:
        """Whether nobody wants the result any more."""
        return self._left.is_set()

    def finish(self, outcome: Outcome) -> None:
        """Give the outcome to whoever waits; the first one counts.

        What it called knows it in turn, and texts hang on that: it is let go of at once.
        """
        with suppress(InvalidStateError):
            self.future.set_result(outcome)
            tell, self.on_outcome = self.on_outcome, _unheard
            self.plan, self.keep_going, self.on_text = _nothing, _for_ever, _unheard
            tell(outcome)

    def abandon(self) -> None:
        """Finish with what it was left for."""
        self.finish(Outcome(finish_reason=self._reason))
