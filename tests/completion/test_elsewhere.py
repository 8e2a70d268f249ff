"""Which lines of a file stand between the same lines as the cursor."""

from __future__ import annotations

import pytest

from lsp_server.completion.document import Document
from lsp_server.completion.elsewhere import MOST_LINES, LineElsewhere, lines_elsewhere


def found(text: str) -> list[LineElsewhere]:
    """What is found where the text has a ``|``."""
    offset = text.index("|")
    source = text[:offset] + text[offset + 1 :]
    return lines_elsewhere(Document("file:///a.py", "python", source).at_offset(offset))


def beside(text: str) -> list[LineElsewhere]:
    """What is found beside a line that is the same."""
    return [line for line in found(text) if line.agreeing]


def test_a_line_behind_the_same_line_is_found() -> None:
    assert found("a\nb\nc\n\nx\na\n|\ny\n") == [("b", 1)]


def test_a_line_before_the_same_line_is_found() -> None:
    assert found("x\n|\nc\n\na\nb\nc\n") == [("b", 1)]


def test_each_line_that_agrees_counts_up_to_three_on_either_side() -> None:
    text = "1\n2\n3\n4\nb\n5\n6\n7\n8\n"
    assert beside(text + text.replace("b", "|")) == [("b", 6)]
    assert beside(text + text.replace("b", "|").replace("3", "x").replace("5", "y")) == [("b", 1)]


def test_where_more_agrees_comes_first_then_what_is_nearer() -> None:
    text = "p\na\nmost\nq\n\na\nfar\n\na\nnear\n\np\na\n|\nx\n"
    assert beside(text) == [("most", 2), ("near", 1), ("far", 1)]


def test_a_line_that_is_found_twice_comes_once_with_the_most_that_agrees() -> None:
    assert beside("p\na\nb\n\nq\na\nb\n\np\na\n|\n") == [("b", 2)]


def test_blank_lines_count_for_nothing() -> None:
    assert beside("p\na\n\nb\n  \nc\n\n\np\n\na\n|\n\nc\n") == [("b", 3)]


def test_only_lines_indented_like_the_cursor_are_found() -> None:
    text = "if a:\n    b\nif a:\nc\nif a:\n        d\nif a:\n\te\n"
    assert found(text + "if a:\n    |\n") == [("b", 1)]
    assert found(text + "if a:\n|\n") == [("c", 1)]


def test_the_lines_at_the_cursor_do_not_stand_beside_themselves() -> None:
    assert found("a\n|\na\n") == []
    assert found("b\na\n|\nb\n") == []


def test_of_a_line_that_is_begun_the_rest_is_found() -> None:
    text = "a\nif b:\na\n if c:\na\nif d == e:\n"
    assert found(text + "a\nif |\n") == [("d == e:", 1), ("b:", 1)]
    assert found(text + "a\nif d| == e:\n") == []
    assert found(text + "a\nif |:  \n") == [("d == e", 1), ("b", 1)], "but what stands behind the cursor"
    assert found(text + "a\nif b|\n") == [(":", 1)]
    assert found(text + "a\nif b:|:\n") == [], "what stands before the cursor does not stand behind it, too"


@pytest.mark.parametrize("text", ["|", "a\n|", "|\na", "a\nb\na\nx|\n", "a\nb\na\n|x\n", "a\nb\na\nb|\n"])
def test_nothing_is_found_where_no_line_is_like_that(text: str) -> None:
    assert found(text) == []


def test_a_few_lines_are_enough() -> None:
    cases = "".join(f"a\nb{number}\n" for number in range(10))
    assert found(cases + "a\n|\n") == [(f"b{number}", 1) for number in range(9, 9 - MOST_LINES, -1)]


def test_a_long_file_is_looked_through_near_the_cursor_and_in_whole_lines() -> None:
    filler = "".join(f"line {number}\n" for number in range(10_000))
    assert found("a\nb\n" + filler + "a\n|\n") == []
    assert found("a\n|\n" + filler + "a\nb\n") == []
    half = f"a\n{'b' * 70_000}\n"
    assert found(half + "a\n|\n" + half) == [("b" * 70_000, 1)], "or it would be a part of a line"


def test_a_whole_line_may_be_one_that_the_file_says_twice_whatever_is_beside_it() -> None:
    text = "b\nstop()\nc\nstop()\nd\n    stop()\n"
    assert found(text + "x\n|\ny\n") == [("stop()", 0)]
    assert found(text + "x\n    |\ny\n") == []
    assert found(text + "x\nst|\ny\n") == []


@pytest.mark.parametrize(
    "text", ["b\nc\nx\n|\n", "}\nb\n}\nx\n|\n", "b\nstop()\nc\nstop()\n|\n", "b\na\nc\n|\na\n"]
)
def test_but_no_bracket_and_not_what_stands_above_or_below(text: str) -> None:
    assert all(line.agreeing for line in found(text))
