"""A model of the hub is fetched whole, and it can be told beforehand whether it has to be."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from lsp_server.backends.checkpoint import fetch, is_fetched
from lsp_server.errors import DownloadError, ModelDamagedError
from lsp_server.settings import Settings

NAME = "somebody/something"


@pytest.fixture
def asked() -> list[bool]:
    """Of each question to the hub's library, whether it was about local files only."""
    return []


@pytest.fixture
def cache(tmp_path: Path, asked: list[bool], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache of one model; what is not in it is fetched from a hub that has everything."""
    folder = tmp_path / "cache"

    def snapshot_download(name: str, *, local_files_only: bool, **patterns: Any) -> str:
        assert name == NAME
        assert patterns["allow_patterns"], "the hub's library would want README and pickles too"
        asked.append(local_files_only)
        if not local_files_only:
            folder.mkdir(exist_ok=True)
            for pattern in patterns["allow_patterns"]:
                (folder / pattern.replace("*", "some")).touch()
        elif not folder.exists():
            raise FileNotFoundError(name)
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return folder


def test_all_of_a_model_is_fetched(cache: Path) -> None:
    assert fetch(NAME, Settings()) == cache
    assert {path.suffix for path in cache.iterdir()} == {".json", ".model", ".txt", ".safetensors"}


def test_a_model_is_fetched_once_its_weights_are_there(cache: Path) -> None:
    assert not is_fetched(NAME)
    cache.mkdir()
    (cache / "tokenizer.json").touch()
    assert not is_fetched(NAME), "its tokenizer alone is not the model"
    (cache / "model.safetensors").touch()
    assert is_fetched(NAME)


INDEX = {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}


def test_a_model_of_which_a_part_is_missing_is_fetched_further(cache: Path, asked: list[bool]) -> None:
    cache.mkdir()
    (cache / "config.json").touch()
    (cache / "model.safetensors.index.json").write_text(json.dumps(INDEX))
    (cache / "model-1-of-2.safetensors").touch()
    assert not is_fetched(NAME)
    with pytest.raises(ModelDamagedError):  # this hub's files go by other names
        fetch(NAME, Settings())
    assert False in asked, "the hub was asked for the rest"
    (cache / "model-2-of-2.safetensors").touch()
    asked.clear()
    assert is_fetched(NAME)
    assert fetch(NAME, Settings()) == cache
    assert all(asked), "all is there, and the hub is left alone"


def test_what_the_hub_has_besides_does_not_count(cache: Path, asked: list[bool]) -> None:
    """The hub's library compares the cache with the list of all files unless it is told which are wanted."""
    fetch(NAME, Settings())
    assert is_fetched(NAME)
    assert asked


def test_a_model_without_weights_for_us_is_not_called_fetched(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir()
    (cache / "config.json").touch()
    (cache / "pytorch_model.bin").touch()
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_a, **_k: str(cache))
    with pytest.raises(ModelDamagedError, match=r"has no weights \(safetensors\) that can be read; pickled"):
        fetch(NAME, Settings())
    assert fetch(NAME, Settings(allow_pickle=True)) == cache


class ReadTimeoutError(Exception):
    """As a network library raises it: no OSError."""


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (ReadTimeoutError(), "no network, no such model, or no access to it"),
        (OSError(errno.ENOSPC, "No space left on device"), "its cache cannot be written to (No space left"),
    ],
)
def test_a_download_that_fails_in_the_middle_is_one_sentence(
    failure: Exception, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def snapshot_download(_name: str, *, local_files_only: bool, **_patterns: Any) -> str:
        raise FileNotFoundError if local_files_only else failure

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(
        DownloadError, match=f"^{re.escape(f'{NAME} could not be fetched from the hub: {why}')}"
    ):
        fetch(NAME, Settings())


def test_what_is_no_name_of_the_hub_is_not_fetched() -> None:
    assert not is_fetched("a name: of nothing")
