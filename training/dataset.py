"""The file that lessons are kept in, and how they are put together into batches."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from lsp_server.errors import FimLsError
from training.lessons import Lesson

TOKENS_PER_BATCH = 768
PAD_MULTIPLE = 32


class LessonsError(FimLsError):
    """There are no lessons, or nothing to make them of; one sentence says which."""


def save(found: Sequence[Lesson], path: Path) -> None:
    """Write lessons, their ids one after the other; the file is there whole or not at all."""
    begins = [0]
    for lesson in found:
        begins.append(begins[-1] + len(lesson.ids))
    tensors = {
        "ids": torch.tensor([number for lesson in found for number in lesson.ids], dtype=torch.int32),
        "begins": torch.tensor(begins),
        "prefix_at": torch.tensor([lesson.prefix_at for lesson in found]),
        "middle_at": torch.tensor([lesson.middle_at for lesson in found]),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(tensors, partial)
    partial.replace(path)


class Lessons:
    """Lessons that were saved.

    Raises:
        LessonsError: there is no such file, or none that can be read.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._tensors = load_file(path)
        except (OSError, SafetensorError) as error:
            message = f"There are no lessons that can be read at {path}: make them with training.prepare."
            raise LessonsError(message) from error

    def __len__(self) -> int:
        return len(self._tensors["prefix_at"])

    def ids(self, number: int) -> Tensor:
        """All ids of a lesson."""
        begin, end = self._tensors["begins"][number : number + 2].tolist()
        return self._tensors["ids"][begin:end].long()

    def length(self, number: int) -> int:
        """How many ids a lesson has."""
        begin, end = self._tensors["begins"][number : number + 2].tolist()
        return int(end - begin)

    def learned(self, number: int, rng: random.Random, prefix_share: float) -> list[int]:
        """Indices of the ids that are learned: the middle, a share of the prefix, nothing of the suffix."""
        prefix_at = int(self._tensors["prefix_at"][number])
        middle_at = int(self._tensors["middle_at"][number])
        chosen = [at for at in range(prefix_at, middle_at) if rng.random() < prefix_share]
        return [*chosen, *range(middle_at, self.length(number))]


def batches(lessons: Lessons, numbers: range) -> Iterator[list[int]]:
    """Some lessons in batches of like length, none beyond ``TOKENS_PER_BATCH`` with its padding.

    Only a lesson that is longer than that by itself is a batch of its own.
    """
    batch: list[int] = []
    for number in sorted(numbers, key=lessons.length, reverse=True):
        longest = padded(lessons.length((batch or [number])[0]))
        if batch and longest * (len(batch) + 1) > TOKENS_PER_BATCH:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def padded(length: int) -> int:
    """A length with its padding; few different ones keep the memory in one piece."""
    return -(-length // PAD_MULTIPLE) * PAD_MULTIPLE
