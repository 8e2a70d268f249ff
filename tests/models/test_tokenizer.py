from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp_server.completion.fim import FORMATS, FimPrompt, render
from lsp_server.errors import ModelDamagedError, ModelLoadError
from lsp_server.models import gguf
from lsp_server.models.tokenizer import GgufTokenizer

Metadata = dict[str, Any]
Load = Callable[[Metadata], GgufTokenizer]
ByteLevel = Callable[..., Metadata]


@pytest.fixture
def load(write_gguf: Callable[..., Path]) -> Load:
    return lambda metadata: GgufTokenizer(gguf.read(write_gguf(metadata)))


def spelled(tokenizer: GgufTokenizer, metadata: Metadata, text: str) -> list[str]:
    """The pieces that a text is merged into, by spelling."""
    return [metadata["tokenizer.ggml.tokens"][index] for index in tokenizer.encode(text)]


def sentencepiece_metadata(**changes: Any) -> Metadata:
    special = ["<unk>", "<s>", "</s>", "▁<PRE>"]
    spelled_bytes = [f"<0x{byte:02X}>" for byte in range(256)]
    plain = ["▁a", "ab", "▁ab", "▁▁", "▁", "a", "b", "<", "s", ">", "<s", "s>"]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": [*special, *spelled_bytes, *plain],
        "tokenizer.ggml.scores": [0.0] * 260 + [-float(rank) for rank in range(len(plain))],
        "tokenizer.ggml.token_type": [2, 3, 3, 4, *[6] * 256, *[1] * len(plain)],
    } | changes


# -- byte-level


def test_bytes_are_merged_in_the_order_of_the_list(load: Load, byte_level_metadata: ByteLevel) -> None:
    metadata = byte_level_metadata(["Ġ r", "e t", "Ġr et", "i n"])
    tokenizer = load(metadata)
    assert spelled(tokenizer, metadata, "in ret") == ["in", "Ġret"]
    assert tokenizer.count("in ret") == 2


@pytest.mark.parametrize(
    ("pre", "expected"),
    [
        ("gpt-2", ["Ċ", "Ċ", "x", "Ġ", "11"]),
        ("smollm", ["Ċ", "Ċ", "x", "Ġ", "1", "1"]),
        ("qwen2", ["ĊĊ", "x", "Ġ", "1", "1"]),
        ("llama-bpe", ["ĊĊ", "x", "Ġ", "11"]),
        ("deepseek-coder", ["Ċ", "Ċ", "x", "Ġ", "1", "1"]),
    ],
)
def test_each_family_parts_words_in_its_own_way(
    load: Load, byte_level_metadata: ByteLevel, pre: str, expected: list[str]
) -> None:
    metadata = byte_level_metadata(["Ċ Ċ", "1 1"], pre=pre)
    assert spelled(load(metadata), metadata, "\n\nx 11") == expected


def test_any_text_is_decoded_to_itself(load: Load, byte_level_metadata: ByteLevel) -> None:
    tokenizer = load(byte_level_metadata(["Ã ©"]))
    text = "def é():\r\n\treturn '🙂\0'"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_cut_character_is_decoded_to_the_replacement_character(
    load: Load, byte_level_metadata: ByteLevel
) -> None:
    tokenizer = load(byte_level_metadata([]))
    assert tokenizer.decode(tokenizer.encode("aé")[:-1]) == "a\ufffd"


def test_special_pieces_are_found_by_name_and_decoded_as_they_are_spelled(
    load: Load, byte_level_metadata: ByteLevel
) -> None:
    tokenizer = load(byte_level_metadata([], {"<|endoftext|>": 3, "<\uff5cfim▁hole\uff5c>": 4}))
    assert tokenizer.special_id("<\uff5cfim▁hole\uff5c>") == 1
    assert tokenizer.special_id("<fim_middle>") is None
    assert tokenizer.special_id("a") is None, "a piece of text is not special"
    assert tokenizer.decode([0, 1]) == "<|endoftext|><\uff5cfim▁hole\uff5c>"


@pytest.mark.parametrize("pre", ["gpt-2", "llama-bpe"])  # the latter takes whole words that are pieces
@pytest.mark.parametrize("piece_type", [3, 4])
def test_text_never_gives_a_special_piece(
    load: Load, byte_level_metadata: ByteLevel, pre: str, piece_type: int
) -> None:
    added = {"<fim_middle>": piece_type, "END": piece_type}
    tokenizer = load(byte_level_metadata(["E N", "N D", "E ND"], added, pre=pre))
    assert not {0, 1} & set(tokenizer.encode("<fim_middle> END END"))


def test_added_runs_of_white_space_are_taken_longest_first(
    load: Load, byte_level_metadata: ByteLevel
) -> None:
    metadata = byte_level_metadata([], {"  ": 4, "    ": 4, "\t\t": 4})
    assert spelled(load(metadata), metadata, "       x\t\t\t") == ["    ", "  ", "Ġ", "x", "\t\t", "ĉ"]


def test_a_byte_that_the_vocabulary_lacks_keeps_its_neighbours_apart(
    load: Load, byte_level_metadata: ByteLevel
) -> None:
    metadata = byte_level_metadata(["! !"], without="Ą")
    assert spelled(load(metadata), metadata, "!!") == ["!!"]
    assert spelled(load(metadata), metadata, "!\x04!") == ["!", "!"]


def test_half_a_surrogate_pair_is_one_unknown_character(load: Load, byte_level_metadata: ByteLevel) -> None:
    tokenizer = load(byte_level_metadata([]))
    assert tokenizer.decode(tokenizer.encode("é\ud83d")) == "é\ufffd"


def test_a_merge_of_pieces_that_are_not_there_is_passed_over(
    load: Load, byte_level_metadata: ByteLevel
) -> None:
    metadata = byte_level_metadata(["a b"])
    metadata["tokenizer.ggml.merges"] = ["xx yy", "a c", "a b"]
    assert spelled(load(metadata), metadata, "acab") == ["a", "c", "ab"]


def test_the_prompt_of_a_format_is_rendered_in_ids(load: Load, byte_level_metadata: ByteLevel) -> None:
    added = {"<|endoftext|>": 3, "<fim_prefix>": 3, "<fim_middle>": 3, "<fim_suffix>": 3}
    tokenizer = load(byte_level_metadata([], added))
    prompt = render(FimPrompt("a", "b"), FORMATS["starcoder"], tokenizer, heal=False)
    assert prompt.ids == (1, *tokenizer.encode("a"), 3, *tokenizer.encode("b"), 2)
    assert prompt.stop_ids == {0}


# -- SentencePiece


def test_characters_are_merged_by_score(load: Load) -> None:
    metadata = sentencepiece_metadata()
    assert spelled(load(metadata), metadata, "ab ab   ab") == ["▁ab", "▁ab", "▁▁", "▁ab"]


def test_without_a_space_prefix_the_first_word_has_none(load: Load) -> None:
    metadata = sentencepiece_metadata(**{"tokenizer.ggml.add_space_prefix": False})
    assert spelled(load(metadata), metadata, "ab ab") == ["ab", "▁ab"]


@pytest.mark.parametrize("space_prefix", [True, False])
def test_a_text_that_goes_on_is_given_no_blank(load: Load, space_prefix: bool) -> None:
    metadata = sentencepiece_metadata(**{"tokenizer.ggml.add_space_prefix": space_prefix})
    tokenizer = load(metadata)
    pieces = metadata["tokenizer.ggml.tokens"]
    assert [pieces[index] for index in tokenizer.encode_inside("ab ab")] == ["ab", "▁ab"]
    assert tokenizer.encode_inside("") == []
    assert tokenizer.decode(tokenizer.encode_inside(" ab"))[-2:] == "ab"


def test_a_text_that_goes_on_is_the_same_where_no_blank_is_put(
    load: Load, byte_level_metadata: ByteLevel
) -> None:
    tokenizer = load(byte_level_metadata(["Ġ r"]))
    assert tokenizer.encode_inside(" ret\ud83d") == tokenizer.encode(" ret\ud83d")


def test_a_sentinel_that_is_declared_a_piece_of_text_is_none(load: Load) -> None:
    metadata = sentencepiece_metadata()
    metadata["tokenizer.ggml.token_type"][3] = 1
    metadata["tokenizer.ggml.tokens"][-1] = "▁<PRE"
    metadata["tokenizer.ggml.tokens"][-2] = ">"
    tokenizer = load(metadata)
    assert tokenizer.special_id("▁<PRE>") == 3
    assert 3 not in tokenizer.encode("<PRE> <PRE> ▁<PRE>")


@pytest.mark.parametrize(
    ("change", "bos"),
    [
        ({"tokenizer.ggml.bos_token_id": 1}, "<s>"),
        ({"tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.add_bos_token": False}, ""),
        ({"tokenizer.ggml.bos_token_id": 99_999}, ""),
        ({}, ""),
    ],
)
def test_the_file_says_what_a_text_begins_with(load: Load, change: Metadata, bos: str) -> None:
    assert load(sentencepiece_metadata(**change)).bos == bos


@pytest.mark.parametrize(
    ("pre", "change", "bos"),
    [
        ("gpt-2", {}, ""),
        ("gpt-2", {"tokenizer.ggml.add_bos_token": True}, "<|endoftext|>"),
        ("llama-bpe", {}, "<|endoftext|>"),
    ],
)
def test_without_a_word_only_some_byte_level_vocabularies_begin_a_text_with_a_piece(
    load: Load, byte_level_metadata: ByteLevel, pre: str, change: Metadata, bos: str
) -> None:
    metadata = byte_level_metadata([], pre=pre) | {"tokenizer.ggml.bos_token_id": 0} | change
    assert load(metadata).bos == bos


def test_what_the_vocabulary_lacks_is_spelled_in_bytes(load: Load) -> None:
    metadata = sentencepiece_metadata()
    assert spelled(load(metadata), metadata, "é\0") == ["▁", "<0xC3>", "<0xA9>", "<0x00>"]


def test_text_never_gives_a_special_piece_of_sentencepiece(load: Load) -> None:
    metadata = sentencepiece_metadata()
    tokenizer = load(metadata)
    assert spelled(tokenizer, metadata, "<s>") == ["▁", "<s", ">"]
    assert "<0x0A>" not in spelled(tokenizer, metadata, "<0x0A>")
    assert tokenizer.special_id("▁<PRE>") == 3


@pytest.mark.parametrize("space_prefix", [True, False])
def test_text_in_characters_is_decoded_to_itself(load: Load, space_prefix: bool) -> None:
    tokenizer = load(sentencepiece_metadata(**{"tokenizer.ggml.add_space_prefix": space_prefix}))
    assert tokenizer.decode(tokenizer.encode("  ab\n🙂 ")) == "  ab\n🙂 "


# -- refusals


@pytest.mark.parametrize(
    "change",
    [
        {"tokenizer.ggml.pre": "no-such-family"},
        {"tokenizer.ggml.model": "bert"},
        {"tokenizer.ggml.model": "llama"},  # without scores
    ],
)
def test_a_kind_of_tokenizer_that_is_not_known_is_refused(
    load: Load, byte_level_metadata: ByteLevel, change: Metadata
) -> None:
    with pytest.raises(ModelLoadError, match=r"model\.gguf is of a kind that is not known: .*\.$"):
        load(byte_level_metadata([]) | change)


@pytest.mark.parametrize(
    "change",
    [
        {"tokenizer.ggml.tokens": "none"},
        {"tokenizer.ggml.token_type": [1, 2]},
        {"tokenizer.ggml.scores": [0.5]},
    ],
)
def test_a_file_without_a_whole_vocabulary_is_damaged(
    load: Load, byte_level_metadata: ByteLevel, change: Metadata
) -> None:
    with pytest.raises(ModelDamagedError, match=r"model\.gguf lacks its tokenizer\.$"):
        load(byte_level_metadata([]) | change)
