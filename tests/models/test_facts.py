from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lsp_server.models import gguf
from lsp_server.models.facts import Facts, of_checkpoint, of_gguf

WriteGguf = Any
TOKENS = {
    "tokenizer.ggml.tokens": ["<pre>", "<mid>", "<suf>", "a"],
    "tokenizer.ggml.token_type": [3, 3, 3, 1],
}


def test_a_configuration_tells_architecture_size_and_name(tmp_path: Path) -> None:
    config = {
        "model_type": "starcoder2",
        "_name_or_path": "bigcode/starcoder2-3b",
        "num_hidden_layers": 30,
        "hidden_size": 3072,
        "vocab_size": 49152,
    }
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    names = (tmp_path.name, "bigcode/starcoder2-3b")
    assert of_checkpoint(tmp_path, "mine") == Facts("mine", "", names, ("starcoder2",), (30, 3072, 49152))


def test_a_configuration_need_not_tell_anything(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": 3, "_name_or_path": null}', encoding="utf-8")
    assert of_checkpoint(tmp_path, "mine", "o/mine") == Facts("mine", "o/mine", (tmp_path.name,))


@pytest.mark.parametrize(
    "keys", [("fim_pre", "fim_suf", "fim_mid"), ("prefix", "suffix", "middle")], ids=["now", "formerly"]
)
def test_a_gguf_file_tells_the_same_and_its_sentinels(write_gguf: WriteGguf, keys: tuple[str, ...]) -> None:
    ids = {f"tokenizer.ggml.{key}_token_id": number for key, number in zip(keys, (0, 2, 1), strict=True)}
    said = {
        "general.architecture": "starcoder",
        "general.name": "StarCoder 1B",
        "general.repo_url": "https://huggingface.co/bigcode/starcoderbase-1b",
        "starcoder.block_count": 24,
        "starcoder.embedding_length": 2048,
    }
    facts = of_gguf(gguf.read(write_gguf(said | TOKENS | ids)))
    assert facts.title == "model.gguf"
    assert facts.names == ("bigcode/starcoderbase-1b", "StarCoder 1B", "model")
    assert (facts.architectures, facts.size) == (("gpt_bigcode",), (24, 2048, 4))
    assert facts.declared == ("<pre>", "<suf>", "<mid>")


def test_a_gguf_file_may_be_of_any_architecture_that_it_calls_llama(write_gguf: WriteGguf) -> None:
    facts = of_gguf(gguf.read(write_gguf({"general.architecture": "llama"} | TOKENS)))
    assert facts.architectures == ("llama", "mistral")
    assert facts.declared == ()


def test_an_id_beyond_the_vocabulary_declares_nothing(write_gguf: WriteGguf) -> None:
    facts = of_gguf(gguf.read(write_gguf(TOKENS | {"tokenizer.ggml.fim_suf_token_id": 99})))
    assert (facts.architectures, facts.declared) == ((), ())
