"""Checkpoints of the transformers library, on CUDA, MPS or CPU, with a decode loop of our own.

``model.generate`` cannot be left between two tokens without a thread, forgets the KV cache, and cannot
spell a healed cursor; so the loop is here: rewind the cache, prefill in pieces, then one token at a time.
"""

from __future__ import annotations

import codecs
import gc
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsp_server.backends.base import (
    PREFILL_PIECE_TOKENS,
    FinishReason,
    GenerationRequest,
    LoadedModel,
    OnProgress,
    Report,
)
from lsp_server.backends.checkpoint import GgufWeights, load_gguf, load_model, load_tokenizer
from lsp_server.backends.devices import name_devices
from lsp_server.backends.healing import Healing, Vocabulary
from lsp_server.backends.hf_tokenizer import HfTokenizer, byte_level_vocabulary
from lsp_server.backends.kv_cache import CachedReader
from lsp_server.backends.sampling import Sampler, healed_scores
from lsp_server.backends.stream import Pieces, drop_healed, until_stop_string
from lsp_server.completion.fim import Tokenizer
from lsp_server.completion.item import Usage
from lsp_server.errors import BackendError
from lsp_server.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

UNBOUNDED_CONTEXT_TOKENS = 8192
"""Taken for models that name no bound of their own."""


@dataclass(frozen=True)
class _Loaded:
    reader: CachedReader
    tokenizer: Tokenizer
    vocabulary: Vocabulary
    start_id: int
    context_tokens: int
    ends: frozenset[int]


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
        self._loaded: _Loaded | None = None

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
        self._loaded = _Loaded(reader, tokenizer, vocabulary, start_id, _context_tokens(model), ends)
        on_progress(1.0)
        return LoadedModel(
            self._name,
            name_devices(getattr(model, "hf_device_map", None), str(model.device)),
            self._loaded.context_tokens,
            tokenizer,
            memory_bytes=model.get_memory_footprint(),
        )

    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        """Yield pieces of text; see ``Backend.generate``.

        Raises:
            BackendError: the prompt is too long, or the model failed.
        """
        if self._loaded is None:
            raise BackendError("The model is not loaded.")
        pieces = _Generation(self._loaded, request, report).pieces()
        yield from until_stop_string(drop_healed(pieces, request.healed), request.stop_strings, report)

    def close(self) -> None:
        """Release the model and the memory of its device."""
        self._loaded = None
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


class _Generation:
    """One prompt on its way through the model."""

    def __init__(self, loaded: _Loaded, request: GenerationRequest, report: Report) -> None:
        self._loaded = loaded
        self._request = request
        self._report = report
        ids = loaded.tokenizer.encode(request.text) if request.ids is None else list(request.ids)
        self._prompt = ids or [loaded.start_id]
        self._cached = 0
        self._generated = 0

    def pieces(self) -> Pieces:
        """The text token by token, with what is healed."""
        room = self._loaded.context_tokens - len(self._prompt)
        if room < 1:
            longest = self._loaded.context_tokens - 1
            message = f"The prompt has {len(self._prompt)} tokens, but the model takes {longest} at most."
            raise BackendError(message)
        try:
            scores = yield from self._prefill()
            yield from self._decode(scores, room)
        finally:
            self._report.usage = Usage(len(self._prompt), self._cached, self._generated)

    def _prefill(self) -> Generator[str, None, Tensor]:
        """Read the prompt; returns the scores of the first token."""
        reader = self._loaded.reader
        self._cached = reader.rewind(self._prompt)
        starts = range(self._cached, len(self._prompt), PREFILL_PIECE_TOKENS)
        for start in starts[:-1]:
            reader.read(self._prompt[start : start + PREFILL_PIECE_TOKENS])
            yield ""
        return reader.read(self._prompt[starts[-1] :])

    def _decode(self, scores: Tensor, room: int) -> Pieces:
        vocabulary, stops = self._loaded.vocabulary, self._request.stop_ids | self._loaded.ends
        sampler, healing = Sampler(self._request.sampling), Healing(self._request.healed, vocabulary)
        characters = codecs.getincrementaldecoder("utf-8")("replace")
        budget = self._request.sampling.max_new_tokens
        while True:
            token = sampler.choose(healed_scores(scores, healing))
            if token in stops:
                self._report.finish_reason = FinishReason.STOP
                return
            self._generated += 1
            budget -= healing.take(token)
            yield characters.decode(vocabulary.piece(token))
            if budget <= 0 or self._generated == room:
                self._report.finish_reason = FinishReason.LENGTH
                return
            scores = self._loaded.reader.read([token])
