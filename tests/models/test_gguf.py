from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.errors import ModelDamagedError, ModelLoadError
from lsp_server.models import gguf

WriteGguf = Callable[..., Path]

METADATA = {
    "general.architecture": "llama",
    "llama.context_length": 8192,
    "llama.rope.freq_base": 0.5,
    "tokenizer.ggml.add_bos_token": False,
    "tokenizer.ggml.tokens": ["a", "Ġb", ""],
    "tokenizer.ggml.scores": [0.0, -1.0, -2.5],
    "tokenizer.ggml.token_type": [1, 3, 6],
}
TENSORS = {"token_embd.weight": (3, 5), "output_norm.weight": (3,)}


@pytest.mark.parametrize("version", [2, 3])
def test_the_metadata_is_what_was_written(write_gguf: WriteGguf, version: int) -> None:
    header = gguf.read(write_gguf(METADATA, TENSORS, version))
    assert header.metadata == {
        key: tuple(value) if isinstance(value, list) and not isinstance(value[0], str) else value
        for key, value in METADATA.items()
    }
    assert (header.tensor_count, header.parameters, header.context_tokens) == (2, 18, 8192)


def test_a_file_is_as_long_as_its_header_says(write_gguf: WriteGguf) -> None:
    path = write_gguf(METADATA, TENSORS)
    assert gguf.read(path).file_bytes == path.stat().st_size - 20  # padding behind the last tensor


def test_a_vocabulary_alone_ends_with_its_header(write_gguf: WriteGguf) -> None:
    path = write_gguf(METADATA)
    assert gguf.read(path).file_bytes == path.stat().st_size


def test_a_file_that_does_not_say_its_context_has_none(write_gguf: WriteGguf) -> None:
    assert gguf.read(write_gguf({"general.architecture": "llama"})).context_tokens is None


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.8])
def test_a_file_that_is_cut_short_is_recognised(write_gguf: WriteGguf, share: float) -> None:
    path = write_gguf(METADATA, TENSORS)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelDamagedError, match="cut short"):
        gguf.read(path)


@pytest.mark.parametrize("content", [b"PK\3\4" + bytes(60), b"GGUF" + bytes(60), b"GGUF\0\0\0\3" + bytes(60)])
def test_a_file_of_another_format_is_recognised(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelDamagedError, match=r"model\.gguf is not a GGUF file"):
        gguf.read(path)


@pytest.mark.parametrize(
    "claim",
    [
        struct.pack("<QQQ", 0, 1, 2**62),  # a key longer than any memory
        struct.pack("<QQQcIIQ", 0, 1, 1, b"k", 9, 8, 2**62),  # as many texts
        struct.pack("<QQQcIIQ", 0, 1, 1, b"k", 9, 6, 2**62),  # as many numbers
        struct.pack("<QQQcI", 0, 1, 1, b"k", 99),  # a value of no known type
        struct.pack("<QQQcI", 1, 0, 1, b"t", 2**31),  # a tensor of as many dimensions
        struct.pack("<QQ", 2**63, 2**63),
    ],
)
def test_a_hostile_length_allocates_nothing(tmp_path: Path, claim: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<I", 3) + claim + bytes(100))
    with pytest.raises(ModelDamagedError, match="cut short or damaged"):
        gguf.read(path)


def test_a_header_in_a_huge_file_is_not_read_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf, "MAX_HEADER_BYTES", 1000)
    path = tmp_path / "model.gguf"
    claim = struct.pack("<IQQQcIQ", 3, 0, 1, 1, b"k", 8, 5000)
    path.write_bytes(b"GGUF" + claim + bytes(10_000))
    with pytest.raises(ModelDamagedError):
        gguf.read(path)


@given(content=st.binary(max_size=200))
def test_whatever_follows_the_magic_the_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "model.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<I", 3) + content)
    with contextlib.suppress(ModelDamagedError):
        assert gguf.read(path).file_bytes <= path.stat().st_size


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"absent\.gguf cannot be read: No such file"):
        gguf.read(tmp_path / "absent.gguf")


@pytest.mark.model
def test_the_embedded_model_says_what_it_is(embedded_gguf: Path) -> None:
    header = gguf.read(embedded_gguf)
    assert header.file_bytes == embedded_gguf.stat().st_size
    assert (header.parameters, header.context_tokens) == (134_515_008, 8192)
    assert len(header.texts("tokenizer.ggml.tokens")) == 49_152
