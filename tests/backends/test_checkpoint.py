"""Each way in which a checkpoint can be unusable is one sentence."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from lsp_server.backends.checkpoint import load_model, load_tokenizer
from lsp_server.backends.kv_cache import CachedReader
from lsp_server.backends.placement import loading_arguments
from lsp_server.backends.transformers import TransformersBackend
from lsp_server.errors import DownloadError, FimLsError, ModelDamagedError, ModelLoadError
from lsp_server.settings import Settings

CPU = Settings(device="cpu")


@pytest.fixture
def checkpoint(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "spoiled"))


def edit_config(checkpoint: Path, **changes: Any) -> None:
    path = checkpoint / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def lose_the_tokenizer(checkpoint: Path) -> None:
    (checkpoint / "tokenizer.json").unlink()
    (checkpoint / "tokenizer_config.json").unlink()


def offer_only_pickles(checkpoint: Path) -> None:
    (checkpoint / "model.safetensors").rename(checkpoint / "pytorch_model.bin")


def need_remote_code(checkpoint: Path) -> None:
    edit_config(checkpoint, model_type="novel", auto_map={"AutoConfig": "c.C", "AutoModelForCausalLM": "m.M"})


def pickle_the_weights(checkpoint: Path) -> None:
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(checkpoint / "model.safetensors"), checkpoint / "pytorch_model.bin")
    (checkpoint / "model.safetensors").unlink()


def be_santacoder(checkpoint: Path) -> None:
    """Its own class goes by the type of one that the library knows, and that its weights would not fit."""
    edit_config(checkpoint, auto_map={"AutoModelForCausalLM": "modeling_gpt2_mq.GPT2LMHeadCustomModel"})


@pytest.mark.parametrize(
    ("spoil", "kind", "sentence"),
    [
        (lambda path: cut_in_half(path / "model.safetensors"), ModelDamagedError, "cut short"),
        (lambda path: cut_in_half(path / "tokenizer.json"), ModelDamagedError, "no tokenizer"),
        (lambda path: cut_in_half(path / "config.json"), ModelDamagedError, "no configuration"),
        (lambda path: (path / "model.safetensors").unlink(), ModelDamagedError, "no weights"),
        (lose_the_tokenizer, ModelDamagedError, "no tokenizer"),
        (offer_only_pickles, ModelDamagedError, "safetensors"),
        (lambda path: edit_config(path, num_hidden_layers=3), ModelDamagedError, "incomplete"),
        (lambda path: edit_config(path, hidden_size=64), ModelDamagedError, "do not fit"),
        (lambda path: edit_config(path, model_type="novel"), ModelLoadError, "architecture"),
        (need_remote_code, ModelLoadError, "The model spoiled runs code of its own, .* trustRemoteCode"),
        (be_santacoder, ModelLoadError, "trustRemoteCode must be set; .*gpt_bigcode-santacoder needs none"),
        (offer_only_pickles, ModelDamagedError, "allowPickle"),
    ],
)
def test_a_spoiled_checkpoint_is_told_in_one_sentence(
    checkpoint: Path, spoil: Callable[[Path], object], kind: type[FimLsError], sentence: str
) -> None:
    spoil(checkpoint)
    with pytest.raises(kind, match=sentence) as failure:
        TransformersBackend(checkpoint, CPU).load(lambda _share: None)
    assert str(failure.value).endswith(".")
    assert "\n" not in str(failure.value)
    assert str(checkpoint.parent) not in str(failure.value)


@pytest.mark.parametrize("library", ["torch", "transformers"])
def test_a_missing_library_names_the_extra(
    library: str, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, "transformers.utils", raising=False)
    with pytest.raises(ModelLoadError, match=r"pip install 'fim-ls\[transformers\]'"):
        load_tokenizer(str(tiny_checkpoint), CPU)


def test_a_device_that_is_not_here_is_told_before_anything_is_loaded(tiny_checkpoint: Path) -> None:
    with pytest.raises(ModelLoadError, match="cuda:7"):
        load_model(str(tiny_checkpoint), Settings(device="cuda:7"))


class Hub:
    """Stands for the hub: what it was asked, and what it has."""

    def __init__(self, cached: Path | None = None, online: Path | None = None) -> None:
        self.cached, self.online = cached, online
        self.asked: list[tuple[bool, list[str]]] = []

    def snapshot_download(
        self, _name: str, *, allow_patterns: list[str], ignore_patterns: str, local_files_only: bool
    ) -> str:
        self.asked.append((local_files_only, allow_patterns))
        found = self.cached if local_files_only else self.online
        if found is None:
            raise huggingface_hub.errors.LocalEntryNotFoundError("not there")
        return str(found)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    stand_in = Hub()
    monkeypatch.setattr(huggingface_hub, "snapshot_download", stand_in.snapshot_download)
    return stand_in


def test_what_the_cache_of_the_hub_has_is_not_fetched(hub: Hub, tiny_checkpoint: Path) -> None:
    hub.cached = tiny_checkpoint
    assert load_model("org/tiny", CPU).config.model_type == "llama"
    assert [local_only for local_only, _files in hub.asked] == [True]


def test_what_the_cache_lacks_is_fetched(hub: Hub, tiny_checkpoint: Path) -> None:
    hub.online = tiny_checkpoint
    load_model("org/tiny", CPU)
    assert [local_only for local_only, _files in hub.asked] == [True, False]


def test_a_cache_with_only_the_tokenizer_is_completed(
    hub: Hub, checkpoint: Path, tiny_checkpoint: Path
) -> None:
    (checkpoint / "model.safetensors").unlink()
    hub.cached, hub.online = checkpoint, tiny_checkpoint
    load_tokenizer("org/tiny", CPU)
    load_model("org/tiny", CPU)
    assert [local_only for local_only, _files in hub.asked] == [True, True, False]


def test_no_pickles_and_no_code_are_fetched(hub: Hub, tiny_checkpoint: Path) -> None:
    hub.cached = tiny_checkpoint
    load_model("org/tiny", CPU)
    (_, files), *_ = hub.asked
    assert set(files) == {"*.json", "*.model", "*.txt", "*.safetensors"}
    load_tokenizer("org/tiny", Settings(device="cpu", trust_remote_code=True))
    assert "*.py" in hub.asked[-1][1]
    assert "*.safetensors" not in hub.asked[-1][1]


def test_a_hub_that_cannot_be_reached_is_one_sentence(hub: Hub) -> None:
    with pytest.raises(DownloadError, match="org/tiny could not be fetched"):
        load_model("org/tiny", CPU)


def test_a_device_map_goes_to_accelerate() -> None:
    assert loading_arguments(Settings(device="cpu", device_map="auto"))["device_map"] == "auto"
    assert loading_arguments(CPU)["device_map"] == {"": "cpu"}


def test_bounds_of_memory_spread_a_model_over_what_is_there() -> None:
    arguments = loading_arguments(
        Settings(device="cpu", max_memory=("0=20GiB", "cpu=48GiB"), offload_folder="/scratch/weights")
    )
    assert arguments["device_map"] == "auto"
    assert arguments["max_memory"] == {0: "20GiB", "cpu": "48GiB"}
    assert arguments["offload_folder"] == "/scratch/weights"


def test_a_model_that_lies_on_the_disk_in_part_writes_the_same(tiny_checkpoint: Path, tmp_path: Path) -> None:
    import torch

    spread = Settings(device="cpu", max_memory=("cpu=120KB",), offload_folder=str(tmp_path / "offload"))
    whole, parted = load_model(str(tiny_checkpoint), CPU), load_model(str(tiny_checkpoint), spread)
    assert {"cpu", "disk"} <= set(map(str, parted.hf_device_map.values()))
    torch.testing.assert_close(CachedReader(parted).read([5, 6, 7]), CachedReader(whole).read([5, 6, 7]))


def test_what_has_no_room_and_no_folder_is_told(checkpoint: Path) -> None:
    pickle_the_weights(checkpoint)  # safetensors can be read from where they are
    cramped = Settings(device="cpu", max_memory=("cpu=120KB",), allow_pickle=True)
    with pytest.raises(ModelLoadError, match="has no room on the devices; set offloadFolder"):
        load_model(str(checkpoint), cramped)


def test_pickled_weights_are_read_if_the_user_allows_it(checkpoint: Path) -> None:
    pickle_the_weights(checkpoint)
    model = load_model(str(checkpoint), Settings(device="cpu", allow_pickle=True))
    assert model.config.model_type == "llama"


def test_pickled_weights_are_fetched_only_if_there_are_no_others(
    hub: Hub, checkpoint: Path, tiny_checkpoint: Path
) -> None:
    allowed = Settings(device="cpu", allow_pickle=True)
    hub.cached = tiny_checkpoint
    load_model("org/tiny", allowed)
    assert not any("*.bin" in files for _local_only, files in hub.asked)
    offer_only_pickles(checkpoint)
    hub.cached = hub.online = checkpoint
    with pytest.raises(FimLsError):
        load_model("org/pickled", allowed)
    assert "*.bin" in hub.asked[-1][1]


@pytest.mark.parametrize(("dtype", "share"), [("int8", 1 / 4), ("int4", 1 / 8)])
def test_quantised_weights_take_less_memory_on_a_cpu_too(dtype: Any, share: float, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes", reason="is in the extra quantised")
    from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

    shape = {"hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4}
    LlamaForCausalLM(LlamaConfig(vocab_size=100, **shape)).save_pretrained(tmp_path)
    quantised = load_model(str(tmp_path), Settings(device="cpu", dtype=dtype))
    whole = AutoModelForCausalLM.from_pretrained(tmp_path)
    layer = "model.layers.0.mlp.up_proj"
    each = [model.get_submodule(layer).weight.nbytes for model in (quantised, whole)]
    assert each[0] == each[1] * share
    assert quantised.get_memory_footprint() < whole.get_memory_footprint() / 2
    assert math.isfinite(CachedReader(quantised).read([5, 6, 7]).sum())


@pytest.mark.parametrize(("dtype", "flag"), [("int8", "load_in_8bit"), ("int4", "load_in_4bit")])
def test_quantised_weights_are_asked_of_bitsandbytes(
    dtype: Any, flag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    arguments = loading_arguments(Settings(dtype=dtype))
    asked = arguments["quantization_config"]
    assert getattr(asked, flag)
    assert (asked.bnb_4bit_quant_type, asked.bnb_4bit_compute_dtype) == (
        ("nf4", torch.bfloat16) if dtype == "int4" else ("fp4", torch.float32)
    )
    assert arguments["dtype"] == torch.bfloat16
    assert arguments["device_map"] == {"": "cuda:0"}


def test_weights_take_the_number_format_of_the_settings(tiny_checkpoint: Path) -> None:
    import torch

    assert load_model(str(tiny_checkpoint), Settings(device="cpu", dtype="bfloat16")).dtype == torch.bfloat16
    assert load_model(str(tiny_checkpoint), CPU).dtype == torch.float32
