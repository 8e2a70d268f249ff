"""GGUF models on plain CPUs through ik_llama.cpp, a fork of llama.cpp that is made for them.

It reads a prompt twice as fast as llama.cpp's portable build, and it is driven token by token, so
that work ends with the token at which it is left.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path

from lsp_server.backends.base import (
    PREFILL_PIECE_TOKENS,
    GenerationRequest,
    LoadedModel,
    OnProgress,
    Report,
)
from lsp_server.backends.decoding import Decoder
from lsp_server.backends.healing import Vocabulary
from lsp_server.backends.ik_context import IkContext, Threads
from lsp_server.backends.ik_reader import IkReader
from lsp_server.backends.threads import FEW_CORES, available_cores
from lsp_server.completion.fim import Tokenizer
from lsp_server.errors import BackendError, ModelLoadError
from lsp_server.settings import Settings

MISREAD = {3: "Q4_1", 7: "Q5_1"}
"""Types of weights that ik_llama.cpp 0.1.5 multiplies wrongly in batches of 32 tokens or more: code is then
less likely by more than 2 nats a token."""
WINDOWS_HAS_AVX2 = 40
MOST_PROMPT_TOKENS = 1024
"""The longest prompt that is asked if its length follows the speed of the model."""


def runs_here() -> bool:
    """Whether the package is installed, and made for this processor."""
    return find_spec("ik_llama_cpp") is not None and _has_avx2()


def _has_avx2() -> bool:
    """Whether the instructions are there that its wheels need: without them the process would die."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    if sys.platform == "win32":
        import ctypes

        return bool(ctypes.windll.kernel32.IsProcessorFeaturePresent(WINDOWS_HAS_AVX2))
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return False
    return {"avx2", "fma", "f16c"} <= set(flags)


class IkLlamaBackend:
    """Runs one GGUF file.

    Args:
        path: the file.
        tokenizer: of the same file.
        settings: ``threads``, ``context_tokens`` and ``max_new_tokens`` are read.
        trained_tokens: the longest context that the model was made for, None where that is not known.
        tensor_types: the types of its tensors, as ggml numbers them.
    """

    name = "ik_llama"

    def __init__(
        self,
        path: Path,
        tokenizer: Tokenizer,
        settings: Settings,
        trained_tokens: int | None = None,
        tensor_types: frozenset[int] = frozenset(),
    ) -> None:
        self._path = path
        self._tokenizer = tokenizer
        self._settings = settings
        self._trained_tokens = trained_tokens
        self._tensor_types = tensor_types
        self._context: IkContext | None = None
        self._decoder: Decoder | None = None

    def load(self, on_progress: OnProgress) -> LoadedModel:
        """Read the weights into memory.

        Raises:
            ModelLoadError: the library refuses the file, reads it wrongly, or cannot be loaded.
        """
        if misread := [name for kind, name in MISREAD.items() if kind in self._tensor_types]:
            message = (
                f"{self._path.name} has weights of the type {misread[0]}, which ik_llama.cpp reads wrongly."
            )
            raise ModelLoadError(message)
        budget = self._settings.context_tokens
        prompt = MOST_PROMPT_TOKENS if budget == "auto" else budget
        wanted = prompt + self._settings.max_new_tokens + PREFILL_PIECE_TOKENS
        tokens = min(wanted, self._trained_tokens or wanted)
        self._context = IkContext(self._path, tokens, PREFILL_PIECE_TOKENS, self._threads())
        pieces, ends = self._context.pieces()
        reader, start_id = IkReader(self._context), min(ends, default=0)
        self._decoder = Decoder(reader, self._tokenizer, Vocabulary(pieces), start_id, tokens, ends)
        on_progress(1.0)
        return LoadedModel(
            self._path.stem,
            "cpu",
            tokens,
            self._tokenizer,
            memory_bytes=self._path.stat().st_size,
            weighs_lines=True,
        )

    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        """Yield pieces of text; see ``Backend.generate``.

        Raises:
            BackendError: the prompt is too long, or the model failed.
        """
        if self._decoder is None:
            raise BackendError("The model is not loaded.")
        yield from self._decoder.answer(request, report)

    def close(self) -> None:
        """Release the weights."""
        self._decoder = None
        if self._context is not None:
            self._context.close()
            self._context = None

    def _threads(self) -> Threads:
        """For writing, and what may be chosen for reading."""
        if self._settings.threads:
            return self._settings.threads, (self._settings.threads,)
        cores = available_cores()
        return (max(1, cores - 1) if cores <= FEW_CORES else cores), (cores, max(1, cores - 1))
