from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.completion.fim import FORMATS
from lsp_server.errors import ModelDamagedError, UnknownModelError
from lsp_server.models.registry import REGISTRY, ModelSource, resolve
from lsp_server.settings import EMBEDDED_MODEL, Settings


def test_the_default_model_is_in_the_registry() -> None:
    assert resolve(Settings().model) == ModelSource("gguf", EMBEDDED_MODEL, None, REGISTRY[EMBEDDED_MODEL])


def test_every_entry_is_asked_in_a_format_that_exists() -> None:
    assert {entry.fim_format for entry in REGISTRY.values()} <= set(FORMATS)


def test_a_file_is_a_gguf_model(tmp_path: Path) -> None:
    path = tmp_path / "coder-1b.gguf"
    path.write_bytes(b"GGUF")
    assert resolve(str(path)) == ModelSource("gguf", "coder-1b", path)


def test_the_home_directory_may_be_written_as_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "coder.gguf").write_bytes(b"GGUF")
    assert resolve("~/coder.gguf").path == tmp_path / "coder.gguf"


@pytest.mark.parametrize("vocabulary", ["tokenizer.json", "tokenizer.model", "vocab.json"])
def test_a_directory_with_a_configuration_and_a_tokenizer_is_a_checkpoint(
    tmp_path: Path, vocabulary: str
) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / vocabulary).write_text("{}")
    assert resolve(str(tmp_path)) == ModelSource("checkpoint", tmp_path.name, tmp_path)


def test_a_directory_without_a_configuration_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelDamagedError, match=r"holds no model: it has no config\.json\.$"):
        resolve(str(tmp_path))


def test_a_checkpoint_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelDamagedError, match=r"has no tokenizer: none of tokenizer\.json, "):
        resolve(str(tmp_path))


def test_a_folder_of_the_opened_project_is_not_taken_for_a_model_of_the_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("bigcode/starcoder2-3b", "mine/coder"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / "tokenizer.json").write_text("{}")
    assert resolve("bigcode/starcoder2-3b").kind == "hub"
    assert resolve("./bigcode/starcoder2-3b").kind == "checkpoint"
    assert resolve("mine/coder").kind == "checkpoint"


@pytest.mark.parametrize("name", ["bigcode/starcoder2-3b", "Qwen/Qwen2.5-Coder-0.5B", "a/b"])
def test_an_owner_and_a_name_are_a_hub_name(name: str) -> None:
    assert resolve(name) == ModelSource("hub", name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "gpt-5",
        "a/b/c",
        "/no/such/directory",
        "./model",
        "models/absent.gguf",
        "absent.gguf",
        "a b/c",
        "~nobody/x",
        "x" * 9999,
    ],
)
def test_what_is_none_of_these_is_unknown(name: str) -> None:
    with pytest.raises(UnknownModelError, match=r"^There is no model .*\.$"):
        resolve(name)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("smolm-135m", "smollm2-135m"),
        ("starcoder2-3b", "bigcode/starcoder2-3b"),
        ("CodeLlama-7b-hf", "codellama/CodeLlama-7b-hf"),
        ("quite something else", "smollm2-135m"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(UnknownModelError, match=rf"nearest of which is {nearest}( or .*)?\.$"):
        resolve(name)


def test_every_adapter_is_in_the_package_and_small() -> None:
    for adapter in (entry.adapter for entry in REGISTRY.values() if entry.adapter):
        assert {"adapter_config.json", "adapter_model.safetensors"} <= {
            each.name for each in adapter.path.iterdir()
        }
        assert sum(each.stat().st_size for each in adapter.path.iterdir()) <= 12 * 10**6
