from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.backends.base import FinishReason, Report
from lsp_server.backends.stream import drop_healed, until_stop_string


def pieces(*texts: str) -> Generator[str, None, None]:
    yield from texts


def stopped(texts: list[str], *stops: str) -> tuple[str, FinishReason]:
    report = Report()
    return "".join(until_stop_string(pieces(*texts), stops, report)), report.finish_reason


@pytest.mark.parametrize(
    "texts", [["ab<stop>cd"], ["ab<st", "op>cd"], list("ab<stop>cd"), ["ab", "<stop>", "cd"]]
)
def test_a_stop_string_ends_the_text_however_it_is_cut_into_pieces(texts: list[str]) -> None:
    assert stopped(texts, "<stop>") == ("ab", FinishReason.STOP)


def test_the_first_of_several_stop_strings_counts() -> None:
    assert stopped(["one two three"], "three", "two") == ("one ", FinishReason.STOP)


def test_the_beginning_of_a_stop_string_is_held_back_until_it_is_none() -> None:
    shown = list(until_stop_string(pieces("a<s", "tep", "<sto"), ("<stop>",), Report()))
    assert shown == ["a", "<step", "", "<sto"]


def test_healed_text_is_dropped_wherever_the_pieces_are_cut() -> None:
    assert list(drop_healed(pieces(" re", "turn", " a"), " retu")) == ["", "rn", " a"]
    assert list(drop_healed(pieces("a", "b"), "")) == ["a", "b"]


def test_closing_the_outer_stream_closes_the_inner_one() -> None:
    source = pieces("a", "b", "c")
    outer = until_stop_string(drop_healed(source, "a"), ("y",), Report())
    next(outer)
    outer.close()
    assert next(source, None) is None


def test_the_inner_stream_is_closed_behind_a_stop_string() -> None:
    source = pieces("a", "b", "c")
    assert "".join(until_stop_string(source, ("b",), Report())) == "a"
    assert next(source, None) is None


@given(st.lists(st.text("ab<>", max_size=4)), st.text("ab<>", min_size=1, max_size=4))
def test_cutting_into_pieces_never_changes_where_it_stops(texts: list[str], stop: str) -> None:
    assert stopped(texts, stop)[0] == "".join(texts).partition(stop)[0]
