from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.backends.hf_tokenizer import HfTokenizer
from lsp_server.errors import ModelLoadError
from lsp_server.models import gguf
from lsp_server.models.encoders import merges_by_score
from lsp_server.models.vocabulary import read_vocabulary

SENTINELS = ("<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<mask_1>")


@pytest.fixture(scope="session")
def byte_level(tiny_tokenizer: Any) -> HfTokenizer:
    return HfTokenizer(tiny_tokenizer)


@pytest.fixture(scope="session")
def sentence_piece(code: str) -> HfTokenizer:
    """Pieces with U+2581 for blanks and with bytes for what has no piece, as Llama's and Gemma's."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    unspelled = [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<unk>", "<s>", *unspelled], show_progress=False
    )
    tokenizer.train_from_iterator(code.splitlines(keepends=True), trainer)
    written = json.loads(tokenizer.to_str())
    written["added_tokens"] = [
        added for added in written["added_tokens"] if added["content"] not in unspelled
    ]
    tokenizer = Tokenizer.from_str(json.dumps(written))
    return HfTokenizer(
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>")
    )


def spelled(tokenizer: HfTokenizer, text: str) -> str:
    vocabulary = tokenizer.vocabulary()
    return b"".join(vocabulary.piece(token) for token in tokenizer.encode(text)).decode()


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab_ (\t\n)é☃🐎"), max_size=20))
def test_the_bytes_of_the_pieces_are_the_text(byte_level: HfTokenizer, text: str) -> None:
    assert spelled(byte_level, text) == text


@pytest.mark.parametrize("text", ["def f(x):\n    return x", "a  b\t\n", "☃ and é"])
def test_the_pieces_of_a_sentence_piece_vocabulary_spell_blanks_and_bytes(
    sentence_piece: HfTokenizer, text: str
) -> None:
    assert spelled(sentence_piece, text) == f" {text}"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*SENTINELS, "<", "fim_", "x ", "\n", " " * 16]), max_size=6).map("".join))
def test_a_sentinel_spelled_in_code_stays_text(byte_level: HfTokenizer, text: str) -> None:
    ids = byte_level.encode(text)
    assert not {byte_level.special_id(name) for name in SENTINELS} & set(ids)
    assert spelled(byte_level, text) == text


def test_added_white_space_is_used_like_any_piece(byte_level: HfTokenizer, tiny_tokenizer: Any) -> None:
    run = tiny_tokenizer.convert_tokens_to_ids(" " * 16)
    assert run in byte_level.encode("\n" + " " * 16 + "x")
    assert byte_level.vocabulary().piece(run) == b" " * 16


def test_special_pieces_have_an_id_and_spell_nothing(byte_level: HfTokenizer) -> None:
    assert [byte_level.special_id(name) for name in SENTINELS[:3]] == [0, 1, 2]
    assert [byte_level.vocabulary().piece(token) for token in (0, 1, 2)] == [b"", b"", b""]


@pytest.mark.parametrize("piece", ["<fim_suffix>", "def", "<fim", ""])
def test_what_is_no_special_piece_has_no_special_id(byte_level: HfTokenizer, piece: str) -> None:
    assert byte_level.special_id(piece) is None


def test_an_empty_prompt_starts_like_a_text(byte_level: HfTokenizer, sentence_piece: HfTokenizer) -> None:
    assert byte_level.start_id == 0
    assert sentence_piece.start_id == sentence_piece.special_id("<s>") == 1


def test_a_text_that_begins_is_given_a_blank_even_if_it_has_one(sentence_piece: HfTokenizer) -> None:
    assert spelled(sentence_piece, "def") == " def"
    assert spelled(sentence_piece, " def") == "  def"
    assert sentence_piece.encode("") == []


@pytest.mark.parametrize("text", ["def f", " def f", "\n    x", "☃", "", "☺ def"])
def test_a_text_that_goes_on_is_given_none(sentence_piece: HfTokenizer, text: str) -> None:
    vocabulary = sentence_piece.vocabulary()
    ids = sentence_piece.encode_inside(text)
    assert b"".join(map(vocabulary.piece, ids)).decode() == text


def test_a_text_that_goes_on_is_the_same_in_a_byte_level_vocabulary(byte_level: HfTokenizer) -> None:
    assert byte_level.encode_inside(" def f") == byte_level.encode(" def f")


def llama_like(special: bool) -> HfTokenizer:
    """A vocabulary with Code Llama's sentinel as an added piece, and a piece for each letter."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    letters = ["<unk>", "<s>", "\u2581", *"abPRE<>"]
    tokenizer = Tokenizer(
        models.BPE({letter: at for at, letter in enumerate(letters)}, [], unk_token="<unk>")
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    tokenizer.decoder = decoders.Replace("\u2581", " ")
    tokenizer.add_tokens([AddedToken("\u2581<PRE>", normalized=True, special=special)])
    return HfTokenizer(
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>")
    )


@pytest.mark.parametrize("special", [True, False])
@pytest.mark.parametrize("text", ["<PRE>", " <PRE>", "a <PRE> b", "\u2581<PRE>a", "<PRE><PRE>"])
def test_a_sentinel_with_a_sign_for_a_blank_stays_text_wherever_it_is_spelled(
    special: bool, text: str
) -> None:
    tokenizer = llama_like(special)
    ids = tokenizer.encode(text)
    assert tokenizer.special_id("\u2581<PRE>") not in ids
    assert spelled(tokenizer, text) == f" {text}".replace("\u2581", " "), "and no blank is invented in it"


def test_a_sentinel_that_is_declared_a_piece_of_text_is_none(code: str) -> None:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    letters = ["<unk>", *"ab_<>fmdpinesux ", "<fim", "<fim_suffix", "<fim_suffix>"]
    merges = [("<fim_suffix", ">")]
    model = models.BPE({letter: at for at, letter in enumerate(letters)}, merges, unk_token="<unk>")
    tokenizer = HfTokenizer(PreTrainedTokenizerFast(tokenizer_object=Tokenizer(model), unk_token="<unk>"))
    number = tokenizer.special_id("<fim_suffix>")
    assert number == len(letters) - 1
    assert number not in tokenizer.encode("<fim_suffix>")
    assert tokenizer.special_id("<fim") is None


@pytest.mark.parametrize(("puts", "bos"), [("$A", ""), ("<s> $A", "<s>")])
def test_what_a_text_begins_with_is_what_the_checkpoint_puts_there(puts: str, bos: str) -> None:
    from tokenizers.processors import TemplateProcessing

    tokenizer = llama_like(special=True)
    template = TemplateProcessing(single=puts, special_tokens=[("<s>", 1)])
    tokenizer._tokenizer._tokenizer.post_processor = template
    assert tokenizer.bos == bos


def test_a_vocabulary_of_another_kind_is_refused() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"a": 0, "b": 1, "<unk>": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = HfTokenizer(PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>"))
    with pytest.raises(ModelLoadError, match="neither byte-level nor SentencePiece"):
        tokenizer.vocabulary()


@pytest.fixture(scope="module")
def code_llama(vocabularies: Path) -> HfTokenizer:
    """The library's tokenizer for Code Llama over Llama 2's vocabulary."""
    from transformers import CodeLlamaTokenizer

    vocabulary = read_vocabulary(gguf.read(vocabularies / "llama-spm.gguf"))
    ids = {piece: index for index, piece in enumerate(vocabulary.pieces)}
    return HfTokenizer(CodeLlamaTokenizer(vocab=ids, merges=merges_by_score(vocabulary)))


RECORDED = Path(__file__).parents[1] / "completion" / "prompts" / "code-llama.toml"


@pytest.mark.parametrize("text", tomllib.loads(RECORDED.read_text(encoding="utf-8"))["text"])
def test_the_library_tokenises_halves_as_the_reference_code_does(
    code_llama: HfTokenizer, text: dict[str, Any]
) -> None:
    encode = code_llama.encode_inside if text.get("inside") else code_llama.encode
    assert encode(text["text"]) == text["ids"]


def test_the_library_begins_a_text_of_code_llama_with_its_piece(code_llama: HfTokenizer) -> None:
    assert code_llama.bos == "<s>"
    assert code_llama.special_id("▁<PRE>") is not None
