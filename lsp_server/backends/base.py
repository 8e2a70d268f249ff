"""The one protocol that every backend speaks.

A backend is an iterator of pieces: to cancel is to stop pulling and to close. ``generate`` yields each
piece of text as it is decoded, and an empty piece wherever stopping is possible without one (between
two pieces of prefill, while a healed cursor is being spelled), so whoever pulls can look up and leave.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from lsp_server.completion.elsewhere import LineElsewhere
from lsp_server.completion.fim import Tokenizer
from lsp_server.completion.item import Usage

PREFILL_PIECE_TOKENS = 128
"""How much of a prompt is read between two chances to stop."""


class FinishReason(StrEnum):
    """Why a generation ended."""

    STOP = "stop"
    """A stop token, a stop string, or the model's own end."""
    LENGTH = "length"
    """``max_new_tokens`` were generated, or the context is full."""
    CLOSED = "closed"
    """Whoever pulled left before the end."""


@dataclass(frozen=True)
class SamplingParams:
    """How the next token is chosen.

    Attributes:
        max_new_tokens: the bound on what is generated, in tokens, healed tokens not counted.
        temperature: 0 takes the likeliest token.
        top_p: nucleus mass; 1 keeps all.
        seed: makes sampling repeatable; unused at temperature 0.
    """

    max_new_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


def is_visible(text: str) -> bool:
    """Whether there is anything to see."""
    return bool(text.strip())


@dataclass(frozen=True)
class OneLine:
    """By what a line is chosen.

    Attributes:
        following: the first tokens of what stands behind the cursor, which it should go with.
        is_shown: whether a text would be shown as a line; another is taken only if there is nothing else.
        elsewhere: lines of the file that it may be, too.
        is_varied: whether several are written; else the likeliest tokens are taken where no line of the file
            is likely enough.
        is_needed: whether something is missing even where the end is likeliest.
    """

    following: tuple[int, ...] = ()
    is_shown: Callable[[str], bool] = is_visible
    elsewhere: tuple[LineElsewhere, ...] = ()
    is_varied: bool = True
    is_needed: bool = False


@dataclass(frozen=True)
class SecondTry:
    """What is asked where the likeliest tokens come to nothing.

    Attributes:
        one_line: by what another line is chosen.
        is_wanted: whether a text comes to nothing.
    """

    one_line: OneLine
    is_wanted: Callable[[str], bool]


@dataclass(frozen=True)
class GenerationRequest:
    """One prompt, rendered and ready.

    Attributes:
        text: the prompt as text, for engines that tokenise themselves.
        ids: the prompt as token ids, None where no tokenizer is at hand.
        healed: what was taken off the end of the prompt and must be spelled first; it is never
            part of the pieces.
        stop_ids: tokens that end the generation and are never decoded.
        stop_strings: texts that end the generation and are cut off.
        sampling: how tokens are chosen.
        one_line: where it is given, one line is wanted, and a backend that can chooses it among several.
        second_try: another line, asked for once the answer is there; None where there is none.
    """

    text: str
    ids: tuple[int, ...] | None = None
    healed: str = ""
    stop_ids: frozenset[int] = frozenset()
    stop_strings: tuple[str, ...] = ()
    sampling: SamplingParams = field(default_factory=SamplingParams)
    one_line: OneLine | None = None
    second_try: SecondTry | None = None

    def again(self, text: str) -> GenerationRequest | None:
        """What is asked if this is the answer; None where that is enough."""
        if self.second_try is None or not self.second_try.is_wanted(text):
            return None
        return replace(self, one_line=self.second_try.one_line, second_try=None)


@dataclass
class Report:
    """What a generation cost and why it ended; filled in by the backend, complete once it is closed.

    Attributes:
        finish_reason: why it ended.
        usage: its tokens.
        searches: whether the prompt was read and lines are weighed: what comes then comes at once, or late.
    """

    finish_reason: FinishReason = FinishReason.CLOSED
    usage: Usage = field(default_factory=Usage)
    searches: bool = False


@dataclass(frozen=True)
class LoadedModel:
    """What is known of a model once it is loaded.

    Attributes:
        name: for people, in status and replies.
        device: ``cpu``, ``cuda:0``, ``mps``, or the address of an HTTP engine.
        context_tokens: the longest prompt and answer together, in tokens.
        tokenizer: None where only the engine has one.
        heals: whether the first pieces can be made to spell a request's ``healed``.
        memory_bytes: what its weights take, measured; None where only the engine knows.
        weighs_lines: whether a request's ``one_line`` is heeded.
    """

    name: str
    device: str
    context_tokens: int
    tokenizer: Tokenizer | None
    heals: bool = True
    memory_bytes: int | None = None
    weighs_lines: bool = False


OnProgress = Callable[[float], None]
"""Called with the loaded share, 0 to 1."""


class Backend(Protocol):
    """Runs one model. All methods are called from the one thread that owns it."""

    name: str

    def load(self, on_progress: OnProgress) -> LoadedModel:
        """Bring the model into memory, or reach the engine.

        Raises:
            ModelError: the model cannot be used as it is; one sentence says why.
            EndpointError: the HTTP engine cannot be reached now.
        """
        ...

    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        """Yield the pieces of the answer; closing the generator stops the model.

        Raises:
            BackendError: this generation failed.
        """
        ...

    def close(self) -> None:
        """Release the model; may be called twice, and before ``load``."""
        ...
