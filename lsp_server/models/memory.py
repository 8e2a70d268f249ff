"""How much memory a model takes, estimated from its shape, in bytes.

The weights are counted as ``get_memory_footprint`` of the transformers library counts them after loading.
8-bit and 4-bit formats shrink the matrices of the layers only; what they leave stays in 16 bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lsp_server.models.gguf import Gguf
from lsp_server.models.shape import Shape, of_gguf

WEIGHT_BYTES: Mapping[str, float] = {
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int8": 1,
    "int4": 0.5,
}
"""Bytes of a weight that the number format applies to, by the name of the format; large ones first."""

_LEFT_BYTES = 2
"""Bytes of a weight, and of a number in the key-value cache, that 8-bit and 4-bit formats leave alone."""
_INT4_SCALE_BYTES = 4 / 64
"""With int4, every 64 weights share a scale of 32 bits. With int8 each row has one, too few to count."""


@dataclass(frozen=True)
class Memory:
    """What a model takes, in bytes.

    Attributes:
        weights: as the library's footprint counts them.
        scales: what quantised weights need besides, which that footprint leaves out.
        cache: keys and values of a full context.
    """

    weights: int
    scales: int = 0
    cache: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.scales + self.cache


def estimate(shape: Shape, dtype: str, context_tokens: int) -> Memory:
    """What a checkpoint takes in a format, a key of ``WEIGHT_BYTES``, and a context of this length."""
    each = WEIGHT_BYTES[dtype]
    left = max(each, _LEFT_BYTES)
    scales = shape.linear_weights * _INT4_SCALE_BYTES if dtype == "int4" else 0
    return Memory(
        weights=round(shape.linear_weights * each + shape.other_weights * left),
        scales=round(scales),
        cache=round(shape.cached_at(context_tokens) * left),
    )


def estimate_gguf(header: Gguf, context_tokens: int) -> Memory:
    """What a GGUF file takes with a context of this length; llama.cpp keeps the cache in 16 bits."""
    return Memory(header.file_bytes, cache=of_gguf(header).cached_at(context_tokens) * _LEFT_BYTES)


def in_words(size: int) -> str:
    """A size for people, in units of a thousand as model cards count: ``32.3 GB``, ``269 MB``."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
