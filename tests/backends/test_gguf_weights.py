"""The transformers backend with weights in a GGUF file, and an adapter that is merged in memory."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import torch

from lsp_server.backends.checkpoint import GgufWeights, load_gguf
from lsp_server.backends.healing import Vocabulary
from lsp_server.backends.transformers import TransformersBackend
from lsp_server.engine import loading
from lsp_server.errors import ModelLoadError
from lsp_server.models import embedded, gguf
from lsp_server.models.merge import merge
from lsp_server.models.tokenizer import GgufTokenizer
from lsp_server.settings import EMBEDDED_MODEL, Settings

SmallLlama = Any  # where its weights and its adapter are: see ../conftest.py
CPU = Settings(model=EMBEDDED_MODEL, backend="transformers", device="cpu")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        pytest.fail("The network was asked.")

    monkeypatch.setattr(socket.socket, "connect", refuse)


class NoTokenizer:
    """Weights alone are what these tests are about."""


def scores(weights: Path, adapter: Path | None) -> torch.Tensor:
    model = load_gguf(GgufWeights(weights, adapter, NoTokenizer(), ()), CPU)  # type: ignore[arg-type]
    with torch.no_grad():
        return model(torch.tensor([[6, 7, 8, 9, 10]])).logits[0]


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # which peft still asks for
def test_an_adapter_in_memory_scores_as_the_file_that_it_is_merged_into(
    small_llama: SmallLlama, tmp_path: Path
) -> None:
    for _share in merge(small_llama.weights, small_llama.adapter, tmp_path / "merged.gguf", "F32"):
        pass
    in_memory = scores(small_llama.weights, small_llama.adapter)
    torch.testing.assert_close(scores(tmp_path / "merged.gguf", None), in_memory, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(scores(small_llama.weights, None), in_memory, atol=0.1), "the adapter is seen"


def test_nothing_is_drawn_while_it_is_loaded(
    small_llama: SmallLlama, capsys: pytest.CaptureFixture[str]
) -> None:
    scores(small_llama.weights, None)
    assert capsys.readouterr() == ("", "")


def test_quantised_weights_are_not_quantised_again(
    small_llama: SmallLlama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "lsp_server.backends.checkpoint.loading_arguments", lambda _settings: {"quantization_config": 8}
    )
    weights = GgufWeights(small_llama.weights, None, NoTokenizer(), ())  # type: ignore[arg-type]
    with pytest.raises(ModelLoadError, match=r"small\.gguf are quantised already; .* dtype than int8\.$"):
        load_gguf(weights, Settings(dtype="int8"))


def test_other_gguf_files_are_left_to_llama_cpp(small_llama: SmallLlama) -> None:
    settings = Settings(model=str(small_llama.weights), backend="transformers")
    with pytest.raises(ModelLoadError, match=r"small is a GGUF file, which the llama_cpp backend runs\.$"):
        loading.make_backend(settings, lambda _share: None, lambda: False)


def test_a_fetch_that_is_given_up_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "fetch_base", lambda *_args: None)
    with pytest.raises(ModelLoadError, match=r"^Fetching smollm2-135m was given up\.$"):
        loading.make_backend(CPU, lambda _share: None, lambda: True)


@pytest.mark.model
def test_the_embedded_model_is_tokenised_as_its_file_says(embedded_base: Path) -> None:
    backend = loading.make_backend(CPU, lambda _share: None, lambda: False).backend
    assert isinstance(backend, TransformersBackend)
    tokenizer, text = backend.tokenizer(), "def f(x):\n    return 'é🙂' * 1234\n"
    ids = tokenizer.encode(text)
    assert ids == GgufTokenizer(gguf.read(embedded_base)).encode(text)
    source = backend._source
    assert isinstance(source, GgufWeights)
    vocabulary: Vocabulary = backend._with_vocabulary()[1]
    assert b"".join(map(vocabulary.piece, ids)).decode() == text
    assert vocabulary.piece(0) == b"", "<|endoftext|> spells nothing"
