"""What a GGUF file says of itself: its metadata, and how long it has to be.

The ``gguf`` package maps every element of every array through numpy, which takes 2.2 s and 190 MB for the
embedded model; a server that is being started cannot spend that, so the start of the file is read here.
The format is described in ggml's ``docs/gguf.md``. Every length in the file is checked against what is
left to read before anything is allocated for it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from lsp_server.errors import ModelDamagedError, ModelLoadError

Value = bool | int | float | str | list[str] | tuple[bool | int | float, ...]
"""A value of the metadata; arrays of texts are lists, arrays of numbers are tuples."""

MAX_HEADER_BYTES = 64 * 2**20
"""No header is longer; vocabularies of 260,000 pieces with their merges take a quarter of it."""

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""struct's letter for each type of number."""
_MAX_DIMENSIONS = 4

_BLOCKS = {
    0: (1, 4),  # F32
    1: (1, 2),  # F16
    2: (32, 18),  # Q4_0
    3: (32, 20),  # Q4_1
    6: (32, 22),  # Q5_0
    7: (32, 24),  # Q5_1
    8: (32, 34),  # Q8_0
    10: (256, 84),  # Q2_K
    11: (256, 110),  # Q3_K
    12: (256, 144),  # Q4_K
    13: (256, 176),  # Q5_K
    14: (256, 210),  # Q6_K
    16: (256, 66),  # IQ2_XXS
    17: (256, 74),  # IQ2_XS
    18: (256, 98),  # IQ3_XXS
    19: (256, 50),  # IQ1_S
    20: (32, 18),  # IQ4_NL
    21: (256, 110),  # IQ3_S
    22: (256, 82),  # IQ2_S
    23: (256, 136),  # IQ4_XS
    24: (1, 1),  # I8
    25: (1, 2),  # I16
    26: (1, 4),  # I32
    27: (1, 8),  # I64
    28: (1, 8),  # F64
    29: (256, 56),  # IQ1_M
    30: (1, 2),  # BF16
    34: (256, 54),  # TQ1_0
    35: (256, 66),  # TQ2_0
    39: (32, 17),  # MXFP4
    40: (64, 36),  # NVFP4
    41: (128, 18),  # Q1_0
}
"""Weights in a block and bytes of a block, by type of tensor."""
_UNKNOWN_BLOCK = (1, 0)
"""A type newer than this table: its length is not known, so only its beginning counts."""


@dataclass(frozen=True)
class Gguf:
    """The header of a GGUF file.

    Attributes:
        path: the file.
        metadata: its keys and values.
        tensor_count: how many tensors it holds; 0 for a vocabulary alone.
        parameters: weights of all tensors together.
        file_bytes: how long the file must be for all tensors to be in it.
        tensor_types: the types of its tensors, as ggml numbers them.
    """

    path: Path
    metadata: Mapping[str, Value]
    tensor_count: int
    parameters: int
    file_bytes: int
    tensor_types: frozenset[int] = frozenset()

    @property
    def context_tokens(self) -> int | None:
        """The longest context the model was made for, in tokens; None where the file does not say."""
        length = self.metadata.get(f"{self.metadata.get('general.architecture')}.context_length")
        return length if isinstance(length, int) else None

    def texts(self, key: str) -> list[str]:
        """The texts under a key; empty where there are none."""
        value = self.metadata.get(key)
        return value if isinstance(value, list) else []

    def numbers(self, key: str) -> tuple[float, ...]:
        """The numbers under a key; empty where there are none."""
        value = self.metadata.get(key)
        return value if isinstance(value, tuple) else ()


def read(path: Path) -> Gguf:
    """The header of a GGUF file, which is also checked to be as long as its header says.

    Raises:
        ModelDamagedError: it is not a GGUF file, or one that is cut short.
        ModelLoadError: it cannot be opened.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = _read(file, path, size)
    except OSError as error:
        message = f"The model {path} cannot be read: {error.strerror}."
        raise ModelLoadError(message) from error
    if size < header.file_bytes:
        message = f"The model {path} is cut short: it has {size:,} of {header.file_bytes:,} bytes."
        raise ModelDamagedError(message)
    return header


def _read(file: BinaryIO, path: Path, size: int) -> Gguf:
    reader = _Reader(file, min(size, MAX_HEADER_BYTES))
    try:
        if reader.take(4) != _MAGIC or reader.number("I") not in _VERSIONS:
            message = f"The model {path} is not a GGUF file of version 2 or 3."
            raise ModelDamagedError(message)
        tensor_count, key_count = reader.number("Q"), reader.number("Q")
        metadata = {reader.string(): reader.value() for _ in range(key_count)}
        tensors = [reader.tensor() for _ in range(tensor_count)]
    except (EOFError, ValueError) as error:
        message = f"The model {path} is cut short or damaged: its header cannot be read to the end."
        raise ModelDamagedError(message) from error
    parameters = sum(elements for elements, _, _ in tensors)
    weights_bytes = max((end for _, end, _ in tensors), default=None)
    types = frozenset(kind for _, _, kind in tensors)
    start = file.tell()
    if weights_bytes is not None:
        start = _aligned(start, metadata.get("general.alignment", 32))
    return Gguf(path, metadata, tensor_count, parameters, start + (weights_bytes or 0), types)


def _aligned(position: int, alignment: Value) -> int:
    """The first multiple of ``alignment`` at or after ``position``, in bytes."""
    step = alignment if isinstance(alignment, int) and alignment > 0 else 32
    return -(-position // step) * step


class _Reader:
    """Takes values from the start of a file, never more than ``limit`` bytes in all.

    All methods raise EOFError when the file or the limit ends first, ValueError for what is not GGUF.
    """

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._left = limit

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        self._left -= count
        if self._left < 0:
            raise EOFError
        taken = self._file.read(count)
        if len(taken) != count:
            raise EOFError
        return taken

    def number(self, code: str) -> Any:
        """The next number, of the type that struct calls ``code``."""
        return self.numbers(code, 1)[0]

    def numbers(self, code: str, count: int) -> tuple[Any, ...]:
        """The next ``count`` numbers."""
        width = struct.calcsize(f"<{code}")
        return struct.unpack(f"<{count}{code}", self.take(count * width))

    def string(self) -> str:
        """The next text."""
        length = int.from_bytes(self.take(8), "little")
        return self.take(length).decode("utf-8", "replace")

    def value(self) -> Value:
        """The next value of the metadata."""
        kind = self.number("I")
        if kind == _ARRAY:
            return self._array()
        return self.string() if kind == _STRING else self._of_kind(kind, 1)[0]

    def tensor(self) -> tuple[int, int, int]:
        """How many weights the next tensor has, where it ends, in bytes from the first one, and its type."""
        self.string()
        dimensions = self.number("I")
        if dimensions > _MAX_DIMENSIONS:
            raise ValueError(dimensions)
        elements = math.prod(self.numbers("Q", dimensions))
        kind, offset = self.number("I"), self.number("Q")
        weights, width = _BLOCKS.get(kind, _UNKNOWN_BLOCK)
        return elements, offset + elements // weights * width, kind

    def _array(self) -> list[str] | tuple[bool | int | float, ...]:
        kind, count = self.number("I"), self.number("Q")
        if kind == _STRING:
            return [self.string() for _ in range(count)]
        return self._of_kind(kind, count)

    def _of_kind(self, kind: int, count: int) -> tuple[bool | int | float, ...]:
        if kind not in _NUMBERS:
            raise ValueError(kind)
        return self.numbers(_NUMBERS[kind], count)
