"""From the scores of all tokens to the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsp_server.errors import BackendError

if TYPE_CHECKING:
    from torch import Tensor

    from lsp_server.backends.base import SamplingParams
    from lsp_server.backends.healing import Healing

IMPOSSIBLE = float("-inf")


class Sampler:
    """Chooses tokens, always the same ones for the same scores and parameters."""

    def __init__(self, params: SamplingParams) -> None:
        import torch

        self._params = params
        self._random = torch.Generator().manual_seed(params.seed)

    def choose(self, scores: Tensor) -> int:
        """The next token, from float scores of shape (vocabulary,)."""
        if self._params.temperature == 0:
            return int(scores.argmax())
        shares = (scores / self._params.temperature).softmax(dim=0)
        ranked, tokens = shares.sort(descending=True)
        outside = ranked.cumsum(dim=0) - ranked >= self._params.top_p
        outside[0] = False
        place = ranked.masked_fill(outside, 0.0).multinomial(1, generator=self._random)
        return int(tokens[place])


def healed_scores(scores: Tensor, healing: Healing) -> Tensor:
    """The scores with every token ruled out that would not heal the cursor.

    Raises:
        BackendError: the vocabulary cannot spell what must be spelled.
    """
    allowed, forbidden = healing.allowed(), healing.forbidden()
    if allowed == []:
        raise BackendError("The model's vocabulary cannot spell the text at the cursor.")
    if allowed is not None:
        held = scores.new_full(scores.shape, IMPOSSIBLE)
        held[allowed] = scores[allowed]
        return held
    if forbidden:
        scores = scores.clone()
        scores[forbidden] = IMPOSSIBLE
    return scores
