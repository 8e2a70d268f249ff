"""GGUF models through llama.cpp's server engine, in this process.

The engine keeps the KV cache of the last prompt and, in host memory, of some before it; it reads a prompt in
batches of ``PREFILL_PIECE_TOKENS`` and reports each, and calls back with each token. Both are
chances to stop, so no work outlives its request by more than one of them.
"""

from __future__ import annotations

import codecs
import secrets
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

from lsp_server.backends.base import (
    PREFILL_PIECE_TOKENS,
    FinishReason,
    GenerationRequest,
    LoadedModel,
    OnProgress,
    Report,
)
from lsp_server.backends.healing import keeps_indentation
from lsp_server.backends.stream import drop_healed, until_stop_string
from lsp_server.backends.threads import FEW_CORES, available_cores
from lsp_server.completion.fim import Tokenizer
from lsp_server.completion.item import Usage
from lsp_server.errors import BackendError, ModelLoadError, OutOfMemoryError
from lsp_server.settings import Settings

Event = dict[str, Any]
Pull = Callable[[Callable[[Callable[[Event], bool]], Any]], Generator[Event, None, None]]
"""Turns a call that pushes into an iterator; it needs a thread, so it comes from ``engine/``."""

HOST_CACHE_MB = 64
"""Room for the KV cache of earlier prompts, so that going back to a document costs nothing."""


def finds_accelerator() -> bool:
    """Whether llama.cpp's library is there, and has an accelerator to run on."""
    try:
        import xllamacpp
    except ImportError:
        return False
    return bool(_accelerators(xllamacpp))


def _accelerators(xllamacpp: Any) -> list[str]:
    """The names of the accelerators that it finds."""
    kinds = xllamacpp.ggml_backend_dev_type
    gpus = (kinds.GGML_BACKEND_DEVICE_TYPE_GPU, kinds.GGML_BACKEND_DEVICE_TYPE_IGPU)
    return [str(device["name"]).lower() for device in xllamacpp.get_device_info() if device["type"] in gpus]


class LlamaCppBackend:
    """Runs one GGUF file.

    Args:
        path: the file.
        tokenizer: of the same file.
        settings: ``threads``, ``device``, ``context_tokens`` and ``max_new_tokens`` are read.
        pull: turns the engine's callbacks into an iterator.
        trained_tokens: the longest context that the model was made for, None where that is not known.
    """

    name = "llama_cpp"

    def __init__(
        self,
        path: Path,
        tokenizer: Tokenizer,
        settings: Settings,
        pull: Pull,
        trained_tokens: int | None = None,
    ) -> None:
        self._path = path
        self._tokenizer = tokenizer
        self._settings = settings
        self._pull = pull
        self._trained_tokens = trained_tokens
        self._server: Any = None

    def load(self, on_progress: OnProgress) -> LoadedModel:
        """Map the weights and start the engine.

        Raises:
            ModelLoadError: llama.cpp refuses the file, or its library cannot be loaded.
        """
        try:
            import xllamacpp
        except ImportError as error:
            message = f"llama.cpp's library cannot be loaded on this machine: {error}."
            raise ModelLoadError(message) from error
        if self._settings.device not in ("auto", "cpu") and self._device(xllamacpp) == "cpu":
            message = (
                f"The setting device is {self._settings.device}, but llama.cpp finds no such device here."
            )
            raise ModelLoadError(message)
        params = self._params(xllamacpp)
        try:
            self._server = xllamacpp.Server(params)
        except Exception as error:
            message = (
                f"llama.cpp could not load {self._path.name}; its format or architecture may be too new."
            )
            raise ModelLoadError(message) from error
        # The engine works on a thread of its own, and an engine that is released before that thread has taken
        # up its first task never comes to an end. So it is given one.
        self._server.handle_completions({"prompt": "a", "max_tokens": 1})
        on_progress(1.0)
        return LoadedModel(self._path.stem, self._device(xllamacpp), params.n_ctx, self._tokenizer)

    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        """Yield pieces of text; see ``Backend.generate``."""
        answer = _Answer(request, report)
        body = self._body(request)
        # The engine's callback says True to stop, ours says True to go on.
        events = self._pull(
            lambda offer: self._server.handle_completions(body, lambda event: not offer(event))
        )
        try:
            yield from until_stop_string(
                drop_healed(answer.pieces(events), request.healed), request.stop_strings, report
            )
        finally:
            events.close()
            report.usage = answer.usage

    def close(self) -> None:
        """Release the weights."""
        self._server = None

    def _params(self, xllamacpp: Any) -> Any:
        params = xllamacpp.CommonParams()
        params.model.path = str(self._path)
        budget = self._settings.prompt_tokens(self._device(xllamacpp))
        wanted = budget + self._settings.max_new_tokens + PREFILL_PIECE_TOKENS
        params.n_ctx = min(wanted, self._trained_tokens or wanted)
        params.n_parallel = 1  # our scheduler, not the engine, decides who is next
        params.n_batch = params.n_ubatch = PREFILL_PIECE_TOKENS
        params.cache_ram_mib = HOST_CACHE_MB
        params.n_gpu_layers = 0 if self._settings.device == "cpu" else params.n_gpu_layers
        params.special = True  # a stop piece shows as its spelling and not as nothing
        params.verbosity = -1
        if self._settings.threads:
            params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self._settings.threads
        elif (cores := available_cores()) <= FEW_CORES:
            params.cpuparams.n_threads = max(1, cores - 1)
            params.cpuparams_batch.n_threads = cores  # else it follows the other
        # The engine always listens on a loopback port that we do not use: nobody else shall either.
        params.api_keys = [secrets.token_hex(32)]
        params.endpoint_slots = False
        params.ui = False
        return params

    def _device(self, xllamacpp: Any) -> str:
        """Name of the first accelerator, unless it is not to be used; else ``cpu``."""
        found = _accelerators(xllamacpp) if self._settings.device != "cpu" else []
        return found[0] if found else "cpu"

    def _body(self, request: GenerationRequest) -> dict[str, Any]:
        sampling = request.sampling
        # Each healed character takes one token at most; what is too many is cut where it is counted.
        body: dict[str, Any] = {
            "prompt": list(request.ids or (0,)),  # an empty prompt is refused
            "max_tokens": sampling.max_new_tokens + len(request.healed.encode()),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            "cache_prompt": True,
            "stream": True,
            "return_progress": True,
            "logprobs": 1,  # brings the id and the bytes of each token, at no cost that could be measured
        }
        if request.healed:
            body["grammar"] = healing_grammar(request.healed)
        return body


class _Answer:
    """Reads the engine's events as pieces of text, and counts."""

    def __init__(self, request: GenerationRequest, report: Report) -> None:
        self._request = request
        self._report = report
        self._cached = 0
        self._read = 0
        self._generated = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def usage(self) -> Usage:
        return Usage(self._read, self._cached, self._generated)

    def pieces(self, events: Iterator[Event]) -> Generator[str, None, None]:
        bytes_left_to_heal = len(self._request.healed.encode())
        budget = self._request.sampling.max_new_tokens
        for event in events:
            if "error" in event:
                raise _translated(event["error"])
            if (progress := event.get("prompt_progress")) is not None:
                self._cached, self._read = progress["cache"], progress["processed"]
                yield ""
                continue
            self._read = len(self._request.ids or ())
            for token in _tokens(event):
                if token["id"] in self._request.stop_ids:
                    self._report.finish_reason = FinishReason.STOP
                    return
                self._generated += 1
                yield self._decoder.decode(bytes(token["bytes"]))
                bytes_left_to_heal -= len(token["bytes"])
                budget -= bytes_left_to_heal < 0
                if budget <= 0:
                    self._report.finish_reason = FinishReason.LENGTH
                    return
            if (reason := event["choices"][0]["finish_reason"]) is not None:
                self._report.finish_reason = FinishReason(reason)


def _tokens(event: Event) -> list[dict[str, Any]]:
    logprobs = event["choices"][0]["logprobs"]
    return logprobs["content"] if logprobs else []


def _translated(error: dict[str, Any]) -> BackendError:
    message = str(error.get("message", "unknown error"))
    if "memory" in message:
        return OutOfMemoryError("llama.cpp ran out of memory; a smaller contextTokens or model would fit.")
    return BackendError(f"llama.cpp refused the prompt: {message}.")


def healing_grammar(healed: str) -> str:
    """A grammar (GBNF) that spells ``healed`` first and leaves the rest free."""
    first = r"[^ \t\x00]" if keeps_indentation(healed) else r"[^\x00]"
    spelled = "".join(f"\\U{ord(character):08X}" for character in healed)
    return f'root ::= "{spelled}" ({first} [^\\x00]*)?'
