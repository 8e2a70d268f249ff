"""A model and the KV cache of what it has read, kept from one prompt to the next."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lsp_server.backends.lookahead import Lookahead
from lsp_server.errors import BackendError, ModelLoadError, OutOfMemoryError

if TYPE_CHECKING:
    from lsp_server.backends.sampling import Scores

logger = logging.getLogger(__name__)


class CachedReader:
    """Reads tokens and scores what comes next; what two prompts begin with is read once.

    Args:
        model: a causal language model of the transformers library.

    Raises:
        ModelLoadError: the model keeps no KV cache.
    """

    def __init__(self, model: Any) -> None:
        taken = inspect.signature(model.forward).parameters
        if "past_key_values" not in taken:
            raise ModelLoadError("The architecture of this model keeps no KV cache, which is needed here.")
        self._model = model
        # Weights that lie elsewhere are on no device; what moves them in moves the tokens too.
        home = model.get_input_embeddings().weight.device
        self._device = "cpu" if home.type == "meta" else home
        # Without it the scores of all tokens of the prompt are computed, only to be thrown away.
        self._keeps_logits = "logits_to_keep" in taken
        self._cache: Any = None
        self._ids: list[int] = []

    def rewind(self, ids: Sequence[int]) -> int:
        """Keep of the cache what ``ids`` begins with; how many tokens that is, never all of them."""
        common = 0
        while common < min(len(self._ids), len(ids) - 1) and self._ids[common] == ids[common]:
            common += 1
        surplus = len(self._ids) - common
        if common == 0 or (surplus and not self._crop(surplus)):
            self.forget()
            return 0
        del self._ids[common:]
        return common

    def read(self, ids: Sequence[int]) -> Scores:
        """Read further tokens; the scores of the next one.

        Raises:
            OutOfMemoryError: the device has no memory left.
            BackendError: the model failed.
        """
        return self._read(ids, 1)[0]

    def going_on(self, prompt: Sequence[int], room: int) -> Callable[[int], Scores]:
        """Goes on by one token after the other, with drafts from the prompt: a tenth faster on a CPU."""
        return Lookahead(self, prompt, room).read

    def read_each(self, ids: Sequence[int]) -> Sequence[Scores]:
        """Read further tokens; for each the scores of the one behind it.

        Raises:
            OutOfMemoryError: the device has no memory left.
            BackendError: the model failed.
        """
        return self._read(ids, len(ids))

    @property
    def can_drop(self) -> bool:
        """Whether what was read can be taken back whatever is read: sliding windows let go of some of it."""
        layers = getattr(self._cache, "layers", ())
        return bool(layers) and all(layer.is_croppable and not layer.is_sliding for layer in layers)

    def drop(self, count: int) -> None:
        """Take back the tokens that were read last."""
        self._cache.crop(-count)
        del self._ids[-count:]

    def forget(self) -> None:
        """Drop the cache."""
        self._cache, self._ids = None, []

    def _read(self, ids: Sequence[int], scored: int) -> Sequence[Scores]:
        """Read further tokens; the scores behind the last of them."""
        try:
            scores = self._forward(ids, scored)
        except Exception as error:
            logger.debug("the model failed", exc_info=True)
            failure = _translated(error)
        else:
            self._ids += ids
            return scores
        # Not inside "except": the library's error holds on to the tensors that did not fit.
        self.forget()
        raise failure

    def _forward(self, ids: Sequence[int], scored: int) -> Sequence[Scores]:
        import torch
        from transformers import DynamicCache

        if self._cache is None:
            self._cache = DynamicCache(config=self._model.config)
        with torch.inference_mode():
            tokens = torch.tensor([list(ids)], device=self._device)
            few = {"logits_to_keep": scored} if self._keeps_logits else {}
            output = self._model(tokens, past_key_values=self._cache, use_cache=True, **few)
            return list(output.logits[0, -scored:].float().cpu().numpy())

    def _crop(self, surplus: int) -> bool:
        """Take tokens off the end of the cache; False where it cannot go back."""
        try:
            self._cache.crop(-surplus)
        except (RuntimeError, ValueError, NotImplementedError):
            # Sliding windows have let go of what lies behind them, recurrent states cannot be undone.
            return False
        return True


def _translated(error: Exception) -> BackendError:
    said = str(error)
    if isinstance(error, MemoryError) or "out of memory" in said or "allocate memory" in said:
        return OutOfMemoryError(
            "The model's device ran out of memory; a smaller contextTokens, model or dtype would fit."
        )
    return BackendError(f"The model failed while reading the prompt ({type(error).__name__}).")
