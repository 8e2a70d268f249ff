"""What a model is taught by: the cross entropy of the ids that are learned."""

from __future__ import annotations

import random
from collections.abc import Mapping

import torch
from peft import PeftModel
from torch import Tensor
from torch.nn import functional

from training.dataset import Lessons, batches, padded

VALIDATION_LESSONS = 96


def batch_loss(
    model: PeftModel, lessons: Lessons, batch: list[int], chosen: Mapping[int, list[int]]
) -> Tensor:
    """Summed cross entropy of the chosen ids in a batch, in nats; scores are computed for nothing else.

    Args:
        model: with the adapter.
        lessons: all of them.
        batch: numbers of lessons.
        chosen: for each of these, the indices of the ids that are learned; none is 0.
    """
    rows = [lessons.ids(number) for number in batch]
    ids = torch.zeros(len(rows), padded(max(map(len, rows))), dtype=torch.long)
    for row, sequence in enumerate(rows):
        ids[row, : len(sequence)] = sequence
    row_of, at = torch.tensor([(row, at) for row, number in enumerate(batch) for at in chosen[number]]).T
    causal = model.get_base_model()
    # Padding stands at the end, where a causal model does not look, so no mask is needed.
    hidden = causal.model(input_ids=ids, use_cache=False).last_hidden_state
    scores = causal.lm_head(hidden[row_of, at - 1]).float()
    return functional.cross_entropy(scores, ids[row_of, at], reduction="sum")


@torch.no_grad()
def validation_loss(model: PeftModel, lessons: Lessons) -> float:
    """Mean cross entropy of the middles and their ends, in nats per token."""
    numbers = range(min(VALIDATION_LESSONS, len(lessons)))
    chosen = {number: lessons.learned(number, random.Random(number), 0.0) for number in numbers}
    total = sum(batch_loss(model, lessons, batch, chosen).item() for batch in batches(lessons, numbers))
    return total / sum(map(len, chosen.values()))
