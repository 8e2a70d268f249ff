"""Tokenizers of GPT-2's pieces, with what CodeGen2 and CodeGen2.5 add to them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp_server.backends import checkpoint as checkpoints
from lsp_server.backends.checkpoint import load_tokenizer
from lsp_server.backends.hf_tokenizer import HfTokenizer
from lsp_server.errors import DownloadError, ModelDamagedError
from lsp_server.settings import Settings

CODEGEN2 = {
    "model_type": "codegen",
    "auto_map": {"AutoModelForCausalLM": "modeling_codegen.CodeGenForCausalLM"},
}
CODEGEN25 = {"model_type": "llama"}
OWN_TOKENIZER = {
    "tokenizer_class": "CodeGen25Tokenizer",
    "auto_map": {"AutoTokenizer": ["tokenization_codegen25.CodeGen25Tokenizer", None]},
}
TEXT = "def f(x):\n    return x\t\t\t# 再會\n" + " " * 40 + "<mask_1>"


@pytest.fixture(scope="session")
def gpt2_pieces(code: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small vocabulary as GPT-2's is kept, with runs of blanks of its own."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(code.splitlines(keepends=True), trainer)
    folder = tmp_path_factory.mktemp("pieces")
    tokenizer.model.save(str(folder))
    pieces = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    assert "\u0120\u0120" in pieces
    (folder / "vocab.json").write_text(json.dumps({**pieces, "<|endoftext|>": 50256}), encoding="utf-8")
    return folder


@pytest.fixture
def tokenizer_of(gpt2_pieces: Path, tmp_path: Path) -> Callable[..., HfTokenizer]:
    """The tokenizer of a checkpoint with these files."""

    def load(config: dict[str, Any], **files: dict[str, Any]) -> HfTokenizer:
        folder = Path(shutil.copytree(gpt2_pieces, tmp_path / "model"))
        for name, held in {"config": {"vocab_size": 51_200, **config}, **files}.items():
            (folder / f"{name}.json").write_text(json.dumps(held), encoding="utf-8")
        return HfTokenizer(load_tokenizer(str(folder), Settings()))

    return load


def codegen2(tokenizer_of: Callable[..., HfTokenizer]) -> HfTokenizer:
    return tokenizer_of(CODEGEN2)


def codegen25(tokenizer_of: Callable[..., HfTokenizer]) -> HfTokenizer:
    return tokenizer_of(CODEGEN25, tokenizer_config=OWN_TOKENIZER)


@pytest.mark.parametrize(
    ("family", "ids"),
    [
        (codegen2, {"<dummy_3>": 50298, "<sep>": 50299, "<eom>": 50300, "<mask_899>": 50301}),
        (codegen25, {"<dummy_3>": 50316, "<sep>": 50317, "<eom>": 50318, "<mask_881>": 50319}),
    ],
)
def test_the_added_pieces_have_the_ids_of_the_checkpoints(
    family: Callable[..., HfTokenizer], ids: dict[str, int], tokenizer_of: Callable[..., HfTokenizer]
) -> None:
    tokenizer = family(tokenizer_of)
    expected = ids | {"<|endoftext|>": 50256, "<mask_1>": 51199, "<mask_2>": 51198}
    assert {piece: tokenizer.special_id(piece) for piece in expected} == expected


@pytest.mark.parametrize("family", [codegen2, codegen25])
def test_a_text_is_spelled_by_its_pieces_and_no_sentinel_in_it_is_one(
    family: Callable[..., HfTokenizer], tokenizer_of: Callable[..., HfTokenizer]
) -> None:
    tokenizer = family(tokenizer_of)
    ids, vocabulary = tokenizer.encode(TEXT), tokenizer.vocabulary()
    assert b"".join(map(vocabulary.piece, ids)).decode() == TEXT
    assert tokenizer.special_id("<mask_1>") not in ids


def test_codegen2_takes_runs_of_blanks_before_words(tokenizer_of: Callable[..., HfTokenizer]) -> None:
    tokenizer = codegen2(tokenizer_of)
    assert tokenizer.encode("    x") == [50284, *tokenizer.encode("x")]
    assert tokenizer.encode(" " * 40) == [50257, 50279]
    assert tokenizer.encode("\t\t\t") == [50293]


def test_codegen25_leaves_the_last_blank_to_the_word(tokenizer_of: Callable[..., HfTokenizer]) -> None:
    tokenizer = codegen25(tokenizer_of)
    assert tokenizer.encode("    x") == [50285, *tokenizer.encode(" x")]
    assert tokenizer.encode(" " * 40) == [50257, 50279]
    assert tokenizer.encode("\t\t\t") == [50293]


def test_a_list_that_a_checkpoint_ships_is_taken_before_ours(
    tokenizer_of: Callable[..., HfTokenizer],
) -> None:
    own = {"<sep>": 50310, "<eom>": 50311, "<mask_1>": 51000}
    tokenizer = tokenizer_of(CODEGEN2, added_tokens=own)
    assert {piece: tokenizer.special_id(piece) for piece in own} == own
    assert tokenizer.special_id("<mask_2>") is None


@pytest.mark.parametrize(
    ("config", "own", "piece"),
    [
        ({**CODEGEN2}, {"<sep>": 50299, "<eom>": 50300}, "<mask_1>"),
        ({**CODEGEN2, "vocab_size": 50_400}, {}, "<mask_1>"),
        ({**CODEGEN2}, {"<sep>": 50299, "<mask_1>": 51199}, "<eom>"),
    ],
)
def test_a_piece_that_is_missing_is_named(
    config: dict[str, Any], own: dict[str, Any], piece: str, tokenizer_of: Callable[..., HfTokenizer]
) -> None:
    with pytest.raises(
        ModelDamagedError, match=f"The model model has no piece {piece}, which its prompts need"
    ):
        tokenizer_of(config, added_tokens=own)


def test_pieces_that_codegen25_does_not_ship_are_fetched_from_gpt2(
    gpt2_pieces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fetched(source: str, _needed: str, _settings: Settings) -> Path:
        asked.append(source)
        return gpt2_pieces if source == "openai-community/gpt2" else Path(source)

    monkeypatch.setattr(checkpoints, "_fetched", fetched)
    (tmp_path / "config.json").write_text(json.dumps(CODEGEN25))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(OWN_TOKENIZER))
    tokenizer = HfTokenizer(load_tokenizer(str(tmp_path), Settings()))
    assert tokenizer.special_id("<eom>") == 50318
    assert asked == [str(tmp_path), "openai-community/gpt2"]


def test_without_gpt2s_pieces_it_is_told_where_to_put_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    def unreachable(*_args: Any, **_options: Any) -> str:
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    (tmp_path / "config.json").write_text(json.dumps(CODEGEN25))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(OWN_TOKENIZER))
    with pytest.raises(DownloadError, match=r"put its vocab\.json and merges\.txt beside"):
        load_tokenizer(str(tmp_path), Settings())
