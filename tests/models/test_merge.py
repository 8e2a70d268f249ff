from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize, quantize
from safetensors.numpy import load_file, save_file

from lsp_server.errors import ModelDamagedError
from lsp_server.models.adapter import LowRankChange
from lsp_server.models.merge import NAME, merge

SmallLlama = Any  # where its weights and its adapter are: see ../conftest.py
HEADS = {"attn_q": 4, "attn_k": 2}


def merged(llama: SmallLlama, target: Path, quantisation: str = "F32") -> GGUFReader:
    for _share in merge(llama.weights, llama.adapter, target, quantisation):
        pass
    return GGUFReader(target)


def tensors(reader: GGUFReader) -> dict[str, Any]:
    return {tensor.name: tensor for tensor in reader.tensors}


def plain(tensor: Any) -> np.ndarray[Any, Any]:
    return np.array(dequantize(tensor.data, tensor.tensor_type))


def expected(llama: SmallLlama) -> dict[str, np.ndarray[Any, Any]]:
    """The sums, made as one would on paper."""
    stored = {
        "q": "attn_q",
        "k": "attn_k",
        "v": "attn_v",
        "o": "attn_output",
        "gate": "ffn_gate",
        "up": "ffn_up",
        "down": "ffn_down",
    }
    base, adapter = (
        tensors(GGUFReader(llama.weights)),
        load_file(llama.adapter / "adapter_model.safetensors"),
    )
    sums = {}
    for name in (name for name in adapter if ".lora_A." in name):
        layer, projection = name.split(".")[4], name.split(".")[6].removesuffix("_proj")
        up = adapter[name.replace("lora_A", "lora_B")].astype(np.float64)
        change = 2 * (up @ adapter[name].astype(np.float64))
        if heads := HEADS.get(stored[projection]):
            change = paired(change, heads)
        tensor = f"blk.{layer}.{stored[projection]}.weight"
        sums[tensor] = plain(base[tensor]) + change
    return sums


def paired(matrix: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """Row by row: what is turned together stands side by side."""
    width = len(matrix) // heads
    order = [
        head * width + half * (width // 2) + pair
        for head in range(heads)
        for pair in range(width // 2)
        for half in range(2)
    ]
    return matrix[order]


def test_each_matrix_becomes_the_sum_of_its_weights_and_its_change(
    small_llama: SmallLlama, tmp_path: Path
) -> None:
    found, sums = tensors(merged(small_llama, tmp_path / "merged.gguf")), expected(small_llama)
    assert len(sums) == 14
    for name, matrix in sums.items():
        np.testing.assert_allclose(plain(found[name]), matrix, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("quantisation", ["Q8_0", "Q5_1", "Q4_1"])
def test_what_changed_is_stored_as_is_wished_and_all_else_as_it_was(
    small_llama: SmallLlama, tmp_path: Path, quantisation: str
) -> None:
    base, sums = (
        tensors(GGUFReader(small_llama.weights)),
        tensors(merged(small_llama, tmp_path / "sums.gguf")),
    )
    found = tensors(merged(small_llama, tmp_path / "merged.gguf", quantisation))
    kind = GGMLQuantizationType[quantisation]
    assert list(found) == list(base)
    for name, tensor in found.items():
        changed = "attn_" in name or "ffn_" in name
        if changed and "norm" not in name:
            assert tensor.tensor_type == kind
            assert (tensor.data == quantize(sums[name].data, kind)).all()
        else:
            assert tensor.tensor_type == base[name].tensor_type
            assert tensor.data.tobytes() == base[name].data.tobytes()


def test_the_file_names_its_sentinels_and_keeps_what_it_said(small_llama: SmallLlama, tmp_path: Path) -> None:
    def said(reader: GGUFReader) -> dict[str, Any]:
        return {key: field.contents() for key, field in reader.fields.items() if "GGUF." not in key}

    before, after = (
        said(GGUFReader(small_llama.weights)),
        said(merged(small_llama, tmp_path / "m.gguf", "Q8_0")),
    )
    assert after == before | {
        "general.name": NAME,
        "general.file_type": 7,
        "tokenizer.ggml.fim_pre_token_id": 4,
        "tokenizer.ggml.fim_suf_token_id": 3,
        "tokenizer.ggml.fim_mid_token_id": 5,
        "tokenizer.ggml.fim_rep_token_id": 1,
        "tokenizer.ggml.fim_sep_token_id": 2,
    }


@pytest.mark.parametrize(
    ("quantisation", "sha256"),
    [
        ("Q8_0", "48b03c45beb9e3b84b3e414764602632c3e58d39698cbea55ed5514e1dfd9fba"),
        ("Q5_1", "5e48a81df508f851d04026e916def43954f838b48d07bc5384b32a81b8bd74bd"),
        ("Q4_1", "063c6f3e6c0fc7b2db791dd3b2189642ee4a0a4b43794077a785220451d7e6d9"),
    ],
)
def test_the_bytes_are_the_same_on_every_machine(
    small_llama: SmallLlama, tmp_path: Path, quantisation: str, sha256: str
) -> None:
    merged(small_llama, tmp_path / "merged.gguf", quantisation)
    assert hashlib.sha256((tmp_path / "merged.gguf").read_bytes()).hexdigest() == sha256


def test_a_product_is_summed_rank_by_rank_whatever_the_rows_that_are_asked_for() -> None:
    up = np.array([[1e8, 1, -1e8], [1, 2, 3]], np.float32)
    change = LowRankChange(up, np.ones((3, 2), np.float32))
    assert change.rows(0, 2).tolist() == [[0, 0], [6, 6]]  # 1e8 + 1 is 1e8 in float32
    assert change.rows(1, 2).tolist() == [[6, 6]]


def test_the_rows_that_are_rotated_together_stand_side_by_side() -> None:
    rows = np.arange(8, dtype=np.float32).reshape(8, 1)
    change = LowRankChange(rows, np.ones((1, 1), np.float32)).with_paired_halves(heads=2)
    assert change.up.ravel().tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_progress_rises_to_the_end(small_llama: SmallLlama, tmp_path: Path) -> None:
    shares = list(merge(small_llama.weights, small_llama.adapter, tmp_path / "merged.gguf", "Q8_0"))
    assert shares == sorted(shares)
    assert (len(shares), shares[-1]) == (20, 1.0)


def test_a_merge_that_is_left_lets_go_of_its_file(small_llama: SmallLlama, tmp_path: Path) -> None:
    target = tmp_path / "merged.gguf"
    with contextlib.closing(merge(small_llama.weights, small_llama.adapter, target, "Q8_0")) as shares:
        next(shares)
    target.unlink()


# -- adapters that cannot be merged


def lose_the_configuration(adapter: Path) -> None:
    (adapter / "adapter_config.json").unlink()


def forget_the_rank(adapter: Path) -> None:
    (adapter / "adapter_config.json").write_text(json.dumps({"lora_alpha": 8}))


def cut_in_half(adapter: Path) -> None:
    path = adapter / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def lose_a_half(adapter: Path) -> None:
    path = adapter / "adapter_model.safetensors"
    tensors = load_file(path)
    tensors.pop(next(name for name in tensors if "lora_B" in name))
    save_file(tensors, path)


def change_what_is_no_projection(adapter: Path) -> None:
    path = adapter / "adapter_model.safetensors"
    save_file({**load_file(path), "base_model.model.lm_head.lora_A.weight": np.zeros((4, 64), "f2")}, path)


@pytest.mark.parametrize(
    "spoil",
    [lose_the_configuration, forget_the_rank, cut_in_half, lose_a_half, change_what_is_no_projection],
)
def test_an_adapter_that_is_not_whole_is_refused(
    small_llama: SmallLlama, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    adapter = tmp_path / "adapter"
    shutil.copytree(small_llama.adapter, adapter)
    spoil(adapter)
    with pytest.raises(ModelDamagedError, match=r"^The adapter in .* is not whole; install fim-ls again\.$"):
        next(merge(small_llama.weights, adapter, tmp_path / "merged.gguf", "Q8_0"))


def test_an_adapter_of_another_model_is_refused(small_llama: SmallLlama, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    shutil.copytree(small_llama.adapter, adapter)
    path = adapter / "adapter_model.safetensors"
    save_file({name.replace("layers.1.", "layers.7."): each for name, each in load_file(path).items()}, path)
    with pytest.raises(ModelDamagedError, match=r"is one of another model: blk\.7\."):
        next(merge(small_llama.weights, adapter, tmp_path / "merged.gguf", "Q8_0"))
