"""What would go round once too often, on a vocabulary of a few words."""

from __future__ import annotations

import pytest

from lsp_server.backends.healing import Vocabulary
from lsp_server.backends.loops import LONGEST_ROUND, one_round_more

PIECES = ["_name", "str", ", ", "| ", "0", "=", "\n", "    ", "ff", "ab", "x", "y", "z"]
VOCABULARY = Vocabulary([piece.encode() for piece in PIECES])


def ruled_out(*pieces: str) -> list[str]:
    """What may not come next."""
    return [PIECES[token] for token in one_round_more([PIECES.index(piece) for piece in pieces], VOCABULARY)]


@pytest.mark.parametrize(
    ("round_", "times"),
    [
        (["_name"], 2),
        (["ab", "_name"], 2),
        (["str", ", "], 5),
        (["ab", ", ", "str", ", ", "x", "="], 3),
        (["str", ", ", "str", "_name", "=", "str", "_name", "\n"], 2),
    ],
)
def test_a_round_may_be_written_so_often_and_no_more(round_: list[str], times: int) -> None:
    assert ruled_out("z", *round_ * (times - 1)) == []
    assert set(ruled_out("z", *round_ * times)) == {round_[0]}


@pytest.mark.parametrize("round_", [["0"], ["0", ", "], ["="], ["\n"], ["    ", "\n"], ["ff"], ["x"]])
def test_what_has_no_letter_or_is_one_letter_may_be_written_as_often_as_one_likes(round_: list[str]) -> None:
    assert ruled_out(*round_ * 30) == []


def test_a_round_that_is_longer_is_not_looked_for() -> None:
    long = ["x", *["="] * (LONGEST_ROUND - 1)]
    assert ruled_out(*long * 2) == ["x"]
    assert ruled_out(*["x", *long] * 2) == []


def test_what_only_begins_alike_is_no_round() -> None:
    assert ruled_out("str", ", ", "x", "str", ", ", "y") == []
    assert ruled_out() == ruled_out("x") == []
