"""Checkpoints of the transformers library, on CUDA, MPS or CPU."""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

from lsp_server.backends.base import GenerationRequest, LoadedModel, OnProgress, Report
from lsp_server.backends.checkpoint import GgufWeights, load_gguf, load_model, load_tokenizer
from lsp_server.backends.decoding import Decoder
from lsp_server.backends.devices import name_devices
from lsp_server.backends.healing import Vocabulary
from lsp_server.backends.hf_tokenizer import HfTokenizer, byte_level_vocabulary
from lsp_server.backends.kv_cache import CachedReader
from lsp_server.completion.fim import Tokenizer
from lsp_server.errors import BackendError
from lsp_server.settings import Settings

UNBOUNDED_CONTEXT_TOKENS = 8192
"""Taken for models that name no bound of their own."""


class TransformersBackend:
    """Runs one checkpoint.

    Args:
        source: a directory with a checkpoint, a hub name, or weights in a GGUF file.
        settings: ``device``, ``dtype``, ``device_map``, ``threads`` and ``trust_remote_code`` are read.
    """

    name = "transformers"

    def __init__(self, source: str | Path | GgufWeights, settings: Settings) -> None:
        self._source = source
        self._settings = settings
        self._decoder: Decoder | None = None

    def tokenizer(self) -> Tokenizer:
        """The tokenizer alone, without weights.

        Raises:
            ModelError: one sentence says why it cannot be used.
        """
        return self._with_vocabulary()[0]

    def load(self, on_progress: OnProgress) -> LoadedModel:
        """Fetch the checkpoint if need be, and bring it onto its device.

        Raises:
            ModelError: one sentence says why it cannot be used.
        """
        on_progress(0.0)
        tokenizer, vocabulary = self._with_vocabulary()
        self._set_threads()
        model = self._model()
        ends = _ends(model)
        start_id = tokenizer.start_id if isinstance(tokenizer, HfTokenizer) else min(ends, default=0)
        reader = CachedReader(model)
        self._decoder = Decoder(reader, tokenizer, vocabulary, start_id, _context_tokens(model), ends)
        on_progress(1.0)
        return LoadedModel(
            self._name,
            name_devices(getattr(model, "hf_device_map", None), str(model.device)),
            self._decoder.context_tokens,
            tokenizer,
            memory_bytes=model.get_memory_footprint(),
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
        """Release the model and the memory of its device."""
        self._decoder = None
        gc.collect()
        if (torch := sys.modules.get("torch")) is not None:
            torch.cuda.empty_cache()
            if torch.backends.mps.is_available():
                torch.mps.empty_cache()

    @property
    def _name(self) -> str:
        return (
            self._source.path.stem
            if isinstance(self._source, GgufWeights)
            else Path(self._source).resolve().name
        )

    def _with_vocabulary(self) -> tuple[Tokenizer, Vocabulary]:
        if isinstance(self._source, GgufWeights):
            return self._source.tokenizer, byte_level_vocabulary(self._source.pieces)
        tokenizer = HfTokenizer(load_tokenizer(str(self._source), self._settings))
        return tokenizer, tokenizer.vocabulary()

    def _model(self) -> Any:
        if isinstance(self._source, GgufWeights):
            return load_gguf(self._source, self._settings)
        return load_model(str(self._source), self._settings)

    def _set_threads(self) -> None:
        if self._settings.threads:
            import torch

            torch.set_num_threads(self._settings.threads)


def _context_tokens(model: Any) -> int:
    bound = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return bound or UNBOUNDED_CONTEXT_TOKENS


def _ends(model: Any) -> frozenset[int]:
    """The tokens that the checkpoint itself declares to be its end."""
    declared = model.generation_config.eos_token_id
    if declared is None:
        return frozenset()
    return frozenset([declared] if isinstance(declared, int) else declared)
