from __future__ import annotations

import os
from pathlib import Path

import pytest

from lsp_server.models import verdicts
from lsp_server.models.verdicts import keep_verdict, kept_verdict, weights_of

TRIED = ["starcoder", "refact"]


@pytest.fixture
def files(data_dir: Path, tmp_path: Path) -> list[Path]:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "README.md"):
        (folder / name).write_text(name, encoding="utf-8")
    return weights_of(folder)


def test_a_model_consists_of_its_files_or_is_one(files: list[Path]) -> None:
    assert [file.name for file in files] == ["config.json", "model.safetensors"]
    assert weights_of(files[0]) == [files[0]]


@pytest.mark.parametrize("verdict", ["refact", "causal"])
def test_a_verdict_is_kept(files: list[Path], verdict: str) -> None:
    assert kept_verdict(files, TRIED) is None
    keep_verdict(files, TRIED, verdict)
    assert kept_verdict(files, TRIED) == verdict


def test_a_changed_file_is_tried_anew(files: list[Path]) -> None:
    keep_verdict(files, TRIED, "refact")
    found = files[1].stat()
    os.utime(files[1], ns=(found.st_atime_ns, found.st_mtime_ns + 1))
    assert kept_verdict(files, TRIED) is None


def test_other_formats_and_other_probes_are_tried_anew(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_verdict(files, TRIED, "refact")
    assert kept_verdict(files, ["refact"]) is None
    monkeypatch.setattr(verdicts, "PROBE_VERSION", 0)
    assert kept_verdict(files, TRIED) is None


@pytest.mark.parametrize("damaged", ["", "[]", "{}", '{"format": "mellum"}', '{"format": 1}', "\xff"])
def test_a_damaged_verdict_is_none(files: list[Path], data_dir: Path, damaged: str) -> None:
    keep_verdict(files, TRIED, "refact")
    (kept,) = (data_dir.parent / "probes").iterdir()
    kept.write_text(damaged, encoding="latin-1")
    assert kept_verdict(files, TRIED) is None


def test_where_nothing_can_be_kept_nothing_is(files: list[Path], data_dir: Path) -> None:
    data_dir.parent.mkdir(exist_ok=True)
    (data_dir.parent / "probes").write_text("in the way", encoding="utf-8")
    keep_verdict(files, TRIED, "refact")
    assert kept_verdict(files, TRIED) is None


def test_files_that_went_away_are_not_judged(tmp_path: Path, data_dir: Path) -> None:
    gone = [tmp_path / "gone"]
    keep_verdict(gone, TRIED, "refact")
    assert kept_verdict(gone, TRIED) is None
