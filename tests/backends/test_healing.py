from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.backends.healing import Healing, Vocabulary, keeps_indentation

WORDS = [
    b"",
    b"re",
    b"ret",
    b"return",
    b" return",
    b" ",
    b"  ",
    b"   ",
    b"\n",
    b"\n  ",
    b"\n    ",
    b"\t",
    b"x",
]
BYTES = [bytes([byte]) for byte in range(256)]
VOCABULARY = Vocabulary(WORDS + BYTES)


def pieces(tokens: list[int] | None) -> set[bytes]:
    assert tokens is not None
    return {VOCABULARY.piece(token) for token in tokens}


def token(piece: bytes) -> int:
    return (WORDS + BYTES).index(piece)


def test_only_tokens_that_spell_the_cut_word_are_allowed() -> None:
    assert pieces(Healing("ret", VOCABULARY).allowed()) == {b"r", b"re", b"ret", b"return"}


def test_a_word_may_be_spelled_by_several_tokens() -> None:
    healing = Healing(" retu", VOCABULARY)
    assert not healing.take(token(b" "))
    assert not healing.take(token(b"ret"))
    assert pieces(healing.allowed()) == {b"u"}
    assert not healing.take(token(b"u"))
    assert healing.allowed() is None


def test_a_token_that_goes_on_beyond_the_cut_word_is_new_text() -> None:
    healing = Healing(" ret", VOCABULARY)
    assert healing.take(token(b" return"))
    assert healing.allowed() is None
    assert healing.forbidden() == []


def test_longer_indentation_does_not_take_the_place_of_the_typed_one() -> None:
    assert pieces(Healing("\n  ", VOCABULARY).allowed()) == {b"\n", b"\n  "}
    assert pieces(Healing("  ", VOCABULARY).allowed()) == {b" ", b"  "}


def test_after_typed_indentation_comes_no_further_blank() -> None:
    healing = Healing("\n  ", VOCABULARY)
    assert not healing.take(token(b"\n  "))
    assert healing.allowed() is None
    assert pieces(healing.forbidden()) == {b" ", b"  ", b"   ", b" return", b"\t"}


def test_indentation_is_free_again_behind_the_first_new_character() -> None:
    healing = Healing("  ", VOCABULARY)
    healing.take(token(b"  "))
    assert healing.take(token(b"\n"))
    assert healing.forbidden() == []


def test_a_new_line_without_indentation_may_be_indented() -> None:
    assert pieces(Healing("\n", VOCABULARY).allowed()) == {b"\n", b"\n  ", b"\n    "}


def test_nothing_is_held_back_without_healing() -> None:
    healing = Healing("", VOCABULARY)
    assert healing.allowed() is None
    assert healing.forbidden() == []
    assert healing.take(token(b"x"))


def test_a_vocabulary_that_cannot_spell_the_text_allows_nothing() -> None:
    assert Healing("zebra", Vocabulary(WORDS)).allowed() == []


@pytest.mark.parametrize("healed", [" ", "\t", "\n    ", "\n\t\t"])
def test_typed_white_space_keeps_its_length(healed: str) -> None:
    assert keeps_indentation(healed)


@pytest.mark.parametrize("healed", ["", "\n", "word", " word", "\n\n"])
def test_words_and_line_ends_do_not_keep_indentation(healed: str) -> None:
    assert not keeps_indentation(healed)


def test_tokens_beyond_the_vocabulary_spell_nothing() -> None:
    assert VOCABULARY.piece(10_000) == b""


@given(st.text(min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_whatever_is_chosen_the_text_is_spelled_exactly(healed: str, chooser: object) -> None:
    healing, spelled = Healing(healed, VOCABULARY), b""
    while (allowed := healing.allowed()) is not None:
        chosen = chooser.choice(allowed)  # type: ignore[attr-defined]
        spelled += VOCABULARY.piece(chosen)
        assert healing.take(chosen) == (len(spelled) > len(healed.encode()))
    assert spelled.startswith(healed.encode())
