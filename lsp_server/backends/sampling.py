"""From the scores of all tokens to the next one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsp_server.errors import BackendError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lsp_server.backends.base import SamplingParams
    from lsp_server.backends.healing import Healing

    Scores = NDArray[np.float32]
    """A score for each token of the vocabulary, shape (vocabulary,)."""

IMPOSSIBLE = float("-inf")


class Sampler:
    """Chooses tokens, always the same ones for the same scores and parameters."""

    def __init__(self, params: SamplingParams) -> None:
        from numpy.random import default_rng

        self._params = params
        self._random = default_rng(params.seed)

    def choose(self, scores: Scores) -> int:
        """The next token."""
        if self._params.temperature == 0:
            return int(scores.argmax())
        import numpy as np

        order = np.argsort(-scores, kind="stable")
        likely = np.exp((scores[order] - scores[order[0]]) / self._params.temperature, dtype=np.float64)
        before = (np.cumsum(likely) - likely) / likely.sum()
        inside = np.cumsum(likely[: max(1, int((before < self._params.top_p).sum()))])
        return int(order[np.searchsorted(inside, self._random.random() * inside[-1], side="right")])


def healed_scores(scores: Scores, healing: Healing) -> Scores:
    """The scores with every token ruled out that would not heal the cursor.

    Raises:
        BackendError: the vocabulary cannot spell what must be spelled.
    """
    allowed, forbidden = healing.allowed(), healing.forbidden()
    if allowed == []:
        raise BackendError("The model's vocabulary cannot spell the text at the cursor.")
    if allowed is not None:
        held = scores.copy()
        held.fill(IMPOSSIBLE)
        held[allowed] = scores[allowed]
        return held
    return without(forbidden, scores)


def without(tokens: Sequence[int], scores: Scores) -> Scores:
    """The scores with some tokens ruled out."""
    if tokens:
        scores = scores.copy()
        scores[tokens] = IMPOSSIBLE
    return scores


def log_likelihoods(scores: Scores) -> Scores:
    """How likely each token is; ln p."""
    import numpy as np

    less = scores - scores.max()
    likely: Scores = less - np.log(np.exp(less).sum())
    return likely


def log_sum(likelihoods: Scores) -> float:
    """How likely it is that one of several tokens comes; ln p."""
    import numpy as np

    return float(np.logaddexp.reduce(likelihoods))


def two_likeliest(likelihoods: Scores) -> tuple[int, int]:
    """The likeliest token and the next one."""
    first = int(likelihoods.argmax())
    others = likelihoods.copy()
    others[first] = IMPOSSIBLE
    return first, int(others.argmax())


def likeliest(scores: Scores, count: int) -> list[int]:
    """So many tokens, the likeliest first; none that is ruled out."""
    import numpy as np

    order = np.argpartition(-scores, count)[:count]
    return [int(token) for token in order[np.argsort(-scores[order])] if scores[token] > IMPOSSIBLE]
