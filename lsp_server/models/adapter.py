"""An adapter as peft keeps it, low-rank changes of matrices, in the terms of the model's GGUF file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from lsp_server.errors import ModelDamagedError

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]
"""Rows x columns, float32."""

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
"""The files of an adapter's folder, as peft names them."""

_WEIGHT = re.compile(
    r"base_model\.model\.model\.layers\.(\d+)\.(?:self_attn|mlp)\.(\w+)_proj\.lora_([AB])\.weight"
)
_STORED = {
    "q": "attn_q",
    "k": "attn_k",
    "v": "attn_v",
    "o": "attn_output",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}
"""What a GGUF file calls each projection of a llama."""


@dataclass(frozen=True)
class LowRankChange:
    """What is added to one matrix: the product of two thin ones.

    Attributes:
        up: rows of the matrix x rank, with the adapter's scale in it.
        down: rank x columns of the matrix.
    """

    up: Matrix
    down: Matrix

    def rows(self, begin: int, end: int) -> Matrix:
        """Some rows of the product.

        One rank is added after the other: a matrix product sums in an order that differs from machine to
        machine, and with it the last bits.
        """
        total: Matrix = self.up[begin:end, :1] * self.down[:1]
        for rank in range(1, len(self.down)):
            total += self.up[begin:end, rank : rank + 1] * self.down[rank]
        return total

    def with_paired_halves(self, heads: int) -> LowRankChange:
        """The same change of a matrix whose rows stand as llama.cpp rotates them.

        transformers rotates row ``i`` of a head with row ``i + half``, llama.cpp with its neighbour.
        """
        paired = self.up.reshape(heads, 2, -1, self.up.shape[1]).swapaxes(1, 2)
        return LowRankChange(paired.reshape(self.up.shape), self.down)


def read_adapter(folder: Path) -> dict[str, LowRankChange]:
    """The changes that an adapter makes, by the name of the tensor in a GGUF file; heads not yet paired.

    Raises:
        ModelDamagedError: a file is missing or damaged, or holds what cannot be merged.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        scale = np.float32(config["lora_alpha"] / config["r"])
        return _changes(load_file(folder / WEIGHTS), scale)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        message = f"The adapter in {folder} is not whole; install fim-ls again."
        raise ModelDamagedError(message) from error


def _changes(tensors: Mapping[str, np.ndarray[Any, Any]], scale: np.float32) -> dict[str, LowRankChange]:
    halves: dict[str, dict[str, Matrix]] = {}
    for name, tensor in tensors.items():
        found = _WEIGHT.fullmatch(name)
        if found is None:
            raise ValueError(name)
        stored = f"blk.{found[1]}.{_STORED[found[2]]}.weight"
        halves.setdefault(stored, {})[found[3]] = tensor.astype(np.float32)
    return {name: LowRankChange(half["B"] * scale, half["A"]) for name, half in sorted(halves.items())}
