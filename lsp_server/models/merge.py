"""Writes an adapter into the weights of a GGUF file: the same bytes on every machine.

That is what lets the result be checked against a hash. So nothing here leaves the order of a sum to a
library, and the release of ``gguf``, which rounds weights and lays out the file, is bound in pyproject.toml.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType
from gguf.gguf_reader import ReaderTensor
from gguf.quants import dequantize, quant_shape_to_byte_shape, quantize

from lsp_server.errors import ModelDamagedError
from lsp_server.models.adapter import LowRankChange, read_adapter

NAME = "SmolLM2 135M Instruct, taught to fill in the middle by fim-ls"
"""What the merged model says it is."""
SENTINELS = {
    "tokenizer.ggml.fim_pre_token_id": "<issue_comment>",
    "tokenizer.ggml.fim_suf_token_id": "<issue_start>",
    "tokenizer.ggml.fim_mid_token_id": "<issue_closed>",
    "tokenizer.ggml.fim_rep_token_id": "<repo_name>",
    "tokenizer.ggml.fim_sep_token_id": "<file_sep>",
}
"""The pieces to which training gave a meaning, by the keys that llama.cpp's ``/infill`` looks for."""

_CHUNK_ELEMENTS = 2**18
"""Weights that are summed at once, few enough to stay in a processor's cache."""
_PAIRED = {"attn_q": "llama.attention.head_count", "attn_k": "llama.attention.head_count_kv"}
"""The matrices whose rows are stored as llama.cpp rotates them, and where the file says their heads."""
_OF_THE_FILE = ("GGUF.", "general.architecture")
"""Beginnings of the keys that the writer writes itself."""


def merge(base: Path, adapter: Path, target: Path, quantisation: str) -> Generator[float, None, None]:
    """Write the merged model to a file, and yield the share that is done after each tensor.

    The file is whole once the iterator is exhausted; whoever stops earlier has to delete it.

    Args:
        base: the GGUF file of a llama.
        adapter: a folder as peft writes it.
        target: what is written.
        quantisation: how changed tensors are stored, a name of ``GGMLQuantizationType``; all others stay.

    Raises:
        ModelDamagedError: the adapter is not whole, or not one of this base.
        OSError: the file cannot be written.
    """
    reader, changes = GGUFReader(base), read_adapter(adapter)
    _expect_fit(reader, changes, adapter)
    kind = GGMLQuantizationType[quantisation]
    writer = GGUFWriter(target, _metadata(reader, "general.architecture"))
    try:
        _add_metadata(reader, writer, kind)
        for tensor in reader.tensors:
            _add_place(writer, tensor, kind if tensor.name in changes else tensor.tensor_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        yield from _write_tensors(reader, writer, changes, kind)
        _flush(writer)
    finally:
        writer.close()


def _metadata(reader: GGUFReader, key: str) -> Any:
    field = reader.get_field(key)
    return field.contents() if field else None


def _expect_fit(reader: GGUFReader, changes: dict[str, LowRankChange], adapter: Path) -> None:
    shapes = {tensor.name: tuple(tensor.shape[::-1]) for tensor in reader.tensors}
    for name, change in changes.items():
        if shapes.get(name) != (len(change.up), change.down.shape[1]):
            message = f"The adapter in {adapter} is one of another model: {name} is of another shape there."
            raise ModelDamagedError(message)


def _add_metadata(reader: GGUFReader, writer: GGUFWriter, kind: GGMLQuantizationType) -> None:
    """Copy what the base says of itself, but for what is no longer so."""
    pieces = {piece: number for number, piece in enumerate(_metadata(reader, "tokenizer.ggml.tokens"))}
    changed: dict[str, tuple[Any, GGUFValueType]] = {
        key: (pieces[piece], GGUFValueType.UINT32) for key, piece in SENTINELS.items()
    }
    changed["general.name"] = (NAME, GGUFValueType.STRING)
    changed["general.file_type"] = (_file_type(kind), GGUFValueType.UINT32)
    for field in reader.fields.values():
        if not field.name.startswith(_OF_THE_FILE) and field.name not in changed:
            sub_type = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), field.types[0], sub_type)
    for key, (value, value_type) in changed.items():
        writer.add_key_value(key, value, value_type)


def _file_type(kind: GGMLQuantizationType) -> int:
    return int(LlamaFileType.ALL_F32 if kind.name == "F32" else LlamaFileType[f"MOSTLY_{kind.name}"])


def _add_place(writer: GGUFWriter, tensor: ReaderTensor, kind: GGMLQuantizationType) -> None:
    """Announce a tensor, whose shape in bytes follows from how it is stored."""
    shape = quant_shape_to_byte_shape([int(side) for side in tensor.shape[::-1]], kind)
    writer.add_tensor_info(tensor.name, shape, np.dtype(np.uint8), int(np.prod(shape)), raw_dtype=kind)


def _write_tensors(
    reader: GGUFReader, writer: GGUFWriter, changes: dict[str, LowRankChange], kind: GGMLQuantizationType
) -> Iterator[float]:
    total, done = sum(tensor.n_elements for tensor in reader.tensors), 0
    for tensor in reader.tensors:
        if tensor.name in changes:
            weights = np.array(dequantize(tensor.data, tensor.tensor_type))  # which may be the file itself
            change = _as_stored(changes[tensor.name], tensor.name, reader)
            writer.write_tensor_data(quantize(_sum(weights, change), kind))
        else:
            writer.write_tensor_data(tensor.data)
        done += tensor.n_elements
        yield done / total


def _as_stored(change: LowRankChange, tensor: str, reader: GGUFReader) -> LowRankChange:
    projection = tensor.split(".")[2]
    if projection in _PAIRED:
        return change.with_paired_halves(_metadata(reader, _PAIRED[projection]))
    return change


def _sum(weights: np.ndarray[Any, Any], change: LowRankChange) -> np.ndarray[Any, Any]:
    """The weights of a matrix with its change added, some rows at a time."""
    step = max(1, _CHUNK_ELEMENTS // weights.shape[1])
    for begin in range(0, len(weights), step):
        weights[begin : begin + step] += change.rows(begin, begin + step)
    return weights


def _flush(writer: GGUFWriter) -> None:
    writer.flush()
    for file in writer.fout or ():
        os.fsync(file.fileno())
