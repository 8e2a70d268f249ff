from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peft import LoraConfig
from safetensors.numpy import load_file, save_file

from lsp_server.models.gguf import read
from training.export import ExportError, export, merged

SmallLlama = Any  # where its weights and its adapter are: see ../conftest.py


@pytest.fixture
def run(small_llama: SmallLlama, tmp_path: Path) -> Path:
    """The folder of a run whose checkpoint holds the small adapter, as training/train.py writes it."""
    folder = tmp_path / "run"
    folder.mkdir()
    tensors = {}
    for name, tensor in load_file(small_llama.adapter / "adapter_model.safetensors").items():
        trained = name.replace(".weight", ".default.weight")
        tensors[trained] = tensor.astype(np.float32)
        tensors |= {f"{moment} {trained}": np.ones_like(tensor) for moment in ("exp_avg", "exp_avg_sq")}
    save_file(tensors, folder / "checkpoint.safetensors", {"step": "3", "tokens": "900"})
    return folder


def test_the_adapter_of_a_checkpoint_comes_out_alone_and_in_half_precision(
    run: Path, small_llama: SmallLlama, tmp_path: Path
) -> None:
    folder = export(run, tmp_path / "out")
    exported = load_file(folder / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in exported.values()} == {np.dtype(np.float16)}
    kept = load_file(small_llama.adapter / "adapter_model.safetensors")
    assert exported.keys() == kept.keys()
    assert all((exported[name] == kept[name]).all() for name in kept)


def test_the_configuration_is_one_of_peft_and_names_no_folder(run: Path, tmp_path: Path) -> None:
    folder = export(run, tmp_path / "out")
    config = LoraConfig.from_pretrained(str(folder))
    assert (config.r, config.lora_alpha) == (16, 32)
    assert {"q_proj", "down_proj"} < set(config.target_modules)
    assert len(config.target_modules) == 7
    said = json.loads((folder / "adapter_config.json").read_text())
    assert said["base_model_name_or_path"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert str(tmp_path) not in json.dumps(said)


def test_the_same_run_is_exported_to_the_same_bytes(run: Path, tmp_path: Path) -> None:
    first, second = export(run, tmp_path / "a"), export(run, tmp_path / "b")
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()


def test_a_merged_file_is_told_by_its_size_and_its_hash(small_llama: SmallLlama, tmp_path: Path) -> None:
    target = tmp_path / "new" / "fim.gguf"
    size, sha256 = merged(small_llama.weights, small_llama.adapter, target, "Q8_0")
    assert size == target.stat().st_size == read(target).file_bytes
    assert sha256 == merged(small_llama.weights, small_llama.adapter, target, "Q8_0")[1]
    assert [path.name for path in target.parent.iterdir()] == ["fim.gguf"]


def test_a_run_without_a_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"^There is no checkpoint that can be read at .*\.$"):
        export(tmp_path, tmp_path / "out")
