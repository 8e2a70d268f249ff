"""Several processes that take each step of a run together, one to a core: less waiting than threads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor, distributed
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

Work = TypeVar("Work")


class Processes:
    """The processes of a run: those that ``torchrun`` started, or this one alone.

    Attributes:
        is_first: whether this is the one that writes checkpoints and log.
    """

    def __init__(self) -> None:
        self.is_first = True
        self._taken: Store | None = None
        if "WORLD_SIZE" in os.environ:
            store, rank, size = next(rendezvous("env://"))
            distributed.init_process_group("gloo", store=store, rank=rank, world_size=size)
            self.is_first = rank == 0
            self._taken = PrefixStore("taken", store)

    def share(self, step: int, work: Sequence[Work]) -> Iterator[Work]:
        """What this process does of a step: the next piece whenever it is free."""
        if self._taken is None:
            yield from work
            return
        while (at := self._taken.add(f"{step}", 1) - 1) < len(work):
            yield work[at]

    def add_up(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The sums of tensors over all processes, which all of them get."""
        if self._taken is None:
            return list(tensors)
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        distributed.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        return [part.view_as(tensor).clone() for part, tensor in zip(parts, tensors, strict=True)]

    def end(self) -> None:
        """Part from the others."""
        if self._taken is not None:
            distributed.destroy_process_group()
