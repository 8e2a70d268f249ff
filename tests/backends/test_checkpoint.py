"""Each way in which a checkpoint can be unusable is one sentence."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from lsp_server.backends.checkpoint import load_model, load_tokenizer, loading_arguments
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
        (need_remote_code, ModelLoadError, "trustRemoteCode"),
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


@pytest.mark.parametrize(("dtype", "flag"), [("int8", "load_in_8bit"), ("int4", "load_in_4bit")])
def test_quantised_weights_are_asked_of_bitsandbytes(
    dtype: Any, flag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    arguments = loading_arguments(Settings(dtype=dtype))
    assert getattr(arguments["quantization_config"], flag)
    assert arguments["dtype"] == torch.bfloat16
    assert arguments["device_map"] == {"": "cuda:0"}


def test_weights_take_the_number_format_of_the_settings(tiny_checkpoint: Path) -> None:
    import torch

    assert load_model(str(tiny_checkpoint), Settings(device="cpu", dtype="bfloat16")).dtype == torch.bfloat16
    assert load_model(str(tiny_checkpoint), CPU).dtype == torch.float32
