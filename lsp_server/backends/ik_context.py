"""One model in ik_llama.cpp, and what of its C functions is used.

The ctypes bindings of the package lack the functions that take tokens out of the KV cache, copy it, and
silence the library; those are declared here.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsp_server.backends.threads import BatchThreads
from lsp_server.errors import BackendError, ModelLoadError, OutOfMemoryError

if TYPE_CHECKING:
    from lsp_server.backends.sampling import Scores

Threads = tuple[int, Sequence[int]]

SEQUENCE = 0
"""The one sequence of tokens that a context holds here."""
LONGEST_PIECE_BYTES = 256
NO_ROOM_IN_CACHE = 1


class IkContext:
    """The weights of a GGUF file and a KV cache.

    Args:
        path: the file.
        context_tokens: how many tokens the cache holds.
        batch_tokens: how many are read at once at most.
        threads: on how many cores one token is written, and between which numbers is chosen for a batch.

    Raises:
        ModelLoadError: the library is not there, or refuses the file.
    """

    def __init__(self, path: Path, context_tokens: int, batch_tokens: int, threads: Threads) -> None:
        self._library = _Library()
        self._writing, self._reading = threads[0], BatchThreads(threads[1])
        api = self._library.api
        weights = api.llama_model_default_params()
        weights.n_gpu_layers = 0
        # Weights are laid out anew for the instructions of this processor: a fourth faster,
        # for half a second.
        weights.repack_tensors = True
        self._model = api.llama_model_load_from_file(str(path).encode(), weights)
        self._context = self._model and api.llama_init_from_model(
            self._model, _context_params(api, context_tokens, batch_tokens)
        )
        if not self._context:
            self.close()
            message = (
                f"llama.cpp could not load {path.name}; its format or architecture may be unknown to it."
            )
            raise ModelLoadError(message)
        self._vocabulary_size = int(api.llama_vocab_n_tokens(api.llama_model_get_vocab(self._model)))
        self._batch = api.llama_batch_init(batch_tokens, 0, 1)

    def read(self, ids: Sequence[int], position: int, scored: int = 1) -> list[Scores]:
        """Read tokens, at most a batch, behind ``position`` others; the scores behind the last of them.

        Raises:
            BackendError: the model failed.
        """
        batch, first = self._batch, len(ids) - scored
        batch.n_tokens = len(ids)
        for at, token in enumerate(ids):
            batch.token[at], batch.pos[at] = token, position + at
            batch.n_seq_id[at], batch.seq_id[at][0] = 1, SEQUENCE
            batch.logits[at] = at >= first
        failed = self._decode(batch)
        if failed == NO_ROOM_IN_CACHE:
            raise OutOfMemoryError("The prompt does not fit into the KV cache; lower contextTokens.")
        if failed:
            message = f"llama.cpp failed while reading the prompt ({failed})."
            raise BackendError(message)
        return [self._scores(at) for at in range(first, len(ids))]

    def _decode(self, batch: Any) -> int:
        """Go through a batch on as many cores as are good for it now."""
        api, threads, started = self._library.api, self._reading.choose(batch.n_tokens), time.perf_counter()
        self._library.set_n_threads(self._context, self._writing, threads)
        failed = int(api.llama_decode(self._context, batch))
        self._reading.took(threads, batch.n_tokens, time.perf_counter() - started)
        return failed

    def cut(self, length: int) -> bool:
        """Forget all but the first tokens; False where the architecture cannot."""
        return bool(self._library.kv_cache_seq_rm(self._context, SEQUENCE, length, -1))

    def forget(self) -> None:
        """Forget all that was read."""
        self._library.api.llama_kv_cache_clear(self._context)

    def state_bytes(self) -> int:
        """How much memory a copy of the KV cache takes."""
        return int(self._library.state_seq_get_size(self._context, SEQUENCE, 0))

    def state(self) -> ctypes.Array[ctypes.c_char]:
        """A copy of the KV cache."""
        size = self.state_bytes()
        copy = ctypes.create_string_buffer(size)
        self._library.state_seq_get_data(self._context, copy, size, SEQUENCE, 0)
        return copy

    def restore(self, state: ctypes.Array[ctypes.c_char]) -> bool:
        """Put a copy in place of the KV cache; whether that succeeded."""
        self.forget()
        taken = self._library.state_seq_set_data(self._context, state, len(state), SEQUENCE, 0)
        return bool(taken == len(state))

    def _scores(self, at: int) -> Scores:
        from numpy.ctypeslib import as_array

        scores: Scores = as_array(
            self._library.api.llama_get_logits_ith(self._context, at), (self._vocabulary_size,)
        )
        return scores.copy()  # what the library points to is overwritten by the next batch

    def pieces(self) -> tuple[list[bytes], frozenset[int]]:
        """What each token spells, nothing for special ones, and the tokens that end a text."""
        api, room = self._library.api, ctypes.create_string_buffer(LONGEST_PIECE_BYTES)
        pieces, ends = list[bytes](), set[int]()
        for token in range(self._vocabulary_size):
            length = api.llama_token_to_piece(self._model, token, room, LONGEST_PIECE_BYTES, 0, False)
            pieces.append(room.raw[: max(0, length)])
            if length <= 0 and api.llama_token_is_eog(self._model, token):
                ends.add(token)
        return pieces, frozenset(ends)

    def close(self) -> None:
        """Release cache and weights; may be called twice."""
        api = self._library.api
        if self._context:
            api.llama_batch_free(self._batch)
            api.llama_free(self._context)
        if self._model:
            api.llama_free_model(self._model)
        self._context = self._model = None


class _Library:
    """The C functions, silenced: what they would write goes to the terminal of the editor."""

    def __init__(self) -> None:
        try:
            from ik_llama_cpp import _ctypes_api as api
        except (ImportError, OSError) as error:
            message = f"The library of ik_llama.cpp cannot be loaded on this machine: {error}."
            raise ModelLoadError(message) from error
        self.api: Any = api
        context, sequence, size = ctypes.c_void_p, ctypes.c_int32, ctypes.c_size_t
        self.kv_cache_seq_rm = self._declared(
            "llama_kv_cache_seq_rm", ctypes.c_bool, context, sequence, ctypes.c_int32, ctypes.c_int32
        )
        self.state_seq_get_size = self._declared(
            "llama_state_seq_get_size", size, context, sequence, ctypes.c_uint32
        )
        self.state_seq_get_data = self._declared(
            "llama_state_seq_get_data", size, context, ctypes.c_char_p, size, sequence, ctypes.c_uint32
        )
        self.state_seq_set_data = self._declared(
            "llama_state_seq_set_data", size, context, ctypes.c_char_p, size, sequence, ctypes.c_uint32
        )
        self.set_n_threads = self._declared(
            "llama_set_n_threads", None, context, ctypes.c_uint32, ctypes.c_uint32
        )
        self._declared("llama_log_set", None, _LOG, ctypes.c_void_p)(_SILENT, None)
        api.llama_backend_init()

    def _declared(self, name: str, result: Any, *taken: Any) -> Any:
        function = getattr(self.api._lib, name)  # noqa: SLF001 - there is no other way to it
        function.restype, function.argtypes = result, taken
        return function


_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
_SILENT = _LOG(lambda _level, _text, _data: None)
"""Kept here, since the library does not keep it alive."""


def _context_params(api: Any, context_tokens: int, batch_tokens: int) -> Any:
    params = api.llama_context_default_params()
    params.n_ctx, params.n_seq_max = context_tokens, 1
    params.n_batch = params.n_ubatch = batch_tokens
    params.flash_attn = True
    return params
