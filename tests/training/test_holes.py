from __future__ import annotations

import random

import pytest

from lsp_server.completion.document import Document
from training.holes import HOLES, MAX_BLOCK_LINES
from training.lessons import STAGES

CHANCES = 300

AREA = "def area(r):\n    return r\n"
BRANCH = "if a:\n    b()\n    c()\nd()\n"


def draw(text: str, hole) -> str:
    return f"{text[: hole.start]}«{text[hole.start : hole.end]}»{text[hole.end :]}"


def drawings(kind: str, text: str) -> set[str]:
    """All holes of a kind that chance finds in a text."""
    document = Document("", "", text)
    found = (HOLES[kind](document, random.Random(seed)) for seed in range(CHANCES))
    return {draw(text, hole) for hole in found if hole}


def test_the_rest_of_a_line_begins_at_its_indentation_between_words_or_inside_one() -> None:
    assert drawings("rest", "    ab = c\n") == {
        "    «ab = c»\n",
        "    a«b = c»\n",
        "    ab« = c»\n",
        "    ab «= c»\n",
        "    ab =« c»\n",
        "    ab = «c»\n",
    }


def test_blanks_at_the_end_of_a_line_are_never_learned() -> None:
    assert all(drawing.endswith("»  \n") for drawing in drawings("rest", "ab = c  \n"))
    assert all(drawing.endswith("»  \n") for drawing in drawings("line", "ab = c  \n"))


def test_the_inside_of_brackets_and_strings_is_taken_out_whole_or_from_somewhere_in_it() -> None:
    assert drawings("inside", "f(a, 'b')\n") == {
        "f(«a, 'b'»)\n",
        "f(a«, 'b'»)\n",
        "f(a,« 'b'»)\n",
        "f(a, «'b'»)\n",
        "f(a, '«b'»)\n",
        "f(a, 'b«'»)\n",
        "f(a, '«b»')\n",
    }


def test_a_bracket_ends_with_its_own_partner() -> None:
    assert {"f(«g(a)»)\n", "f(g(«a»))\n"} <= drawings("inside", "f(g(a))\n")
    assert not {"f(«g(a»))\n"} & drawings("inside", "f(g(a))\n")


@pytest.mark.parametrize("line", ["f()\n", "f(a,\n", "ab = c\n"])
def test_brackets_that_are_empty_or_end_on_another_line_have_no_inside(line: str) -> None:
    assert not drawings("inside", line)


def test_a_whole_line_begins_at_its_indentation_or_at_the_end_of_the_line_before() -> None:
    assert drawings("line", AREA) == {
        "«def area(r):»\n    return r\n",
        "def area(r):«\n    return r»\n",
        "def area(r):\n    «return r»\n",
    }


def test_a_line_after_a_blank_one_begins_at_its_indentation() -> None:
    assert drawings("line", "a\n\n  b\n") == {"«a»\n\n  b\n", "a\n\n  «b»\n"}


def test_a_block_ends_where_the_indentation_is_back_or_the_block_ends() -> None:
    found = drawings("block", BRANCH)
    assert {"«if a:\n    b()\n    c()»\nd()\n", "if a:«\n    b()\n    c()»\nd()\n"} <= found
    assert {drawing.partition("»")[2] for drawing in found} == {"\nd()\n", "\n"}
    assert all("»\nd()\n" in drawing for drawing in found if not drawing.startswith(("«", "i")))


def test_a_block_may_begin_anywhere_in_its_first_line() -> None:
    assert "if «a:\n    b()\n    c()»\nd()\n" in drawings("block", BRANCH)


def test_a_block_has_at_least_two_lines_and_not_too_many() -> None:
    found = drawings("block", "".join(f"a{n}\n" for n in range(20)))
    lines = {drawing.partition("«")[2].partition("»")[0].strip().count("\n") + 1 for drawing in found}
    assert lines == set(range(2, MAX_BLOCK_LINES + 1))


def test_any_characters_are_taken_out_up_to_the_end_of_the_text_at_most() -> None:
    found = drawings("span", AREA)
    assert {drawing.partition("»")[2] for drawing in found} >= {"", "\n", "return r\n"}
    assert all("«»" not in drawing for drawing in found)


def test_nothing_is_missing_at_the_end_of_a_line_and_before_a_closing_bracket() -> None:
    assert drawings("empty", "  f(a, [b])\n") == {
        "  f(a, [b«»])\n",
        "  f(a, [b]«»)\n",
        "  f(a, [b])«»\n",
    }


def test_a_body_is_all_that_stands_below_the_line_that_opens_it() -> None:
    assert drawings("body", BRANCH) == {
        "if a:«\n    b()\n    c()»\nd()\n",
        "if a:\n    «b()\n    c()»\nd()\n",
    }


def test_the_end_of_a_file_is_the_rest_of_a_line_or_a_block() -> None:
    assert drawings("end", BRANCH) >= {"if a:\n    «b()»\n    c()\nd()\n", "if a:\n    «b()\n    c()»\nd()\n"}


@pytest.mark.parametrize("kind", HOLES)
def test_no_hole_is_in_what_a_file_says_of_itself_at_its_top(kind: str) -> None:
    top = "#!/bin/sh\n# Copyright\n\n"
    assert all(drawing.startswith(top) for drawing in drawings(kind, f"{top}f(a)\ng(b)\nh(c)\n"))


def test_comments_and_docstrings_are_seldom_taken_out() -> None:
    text = 'a()\n# comment\nb()\n"""\nprose\n"""\nc()\n'
    document = Document("", "", text)
    holes = [HOLES["line"](document, random.Random(seed)) for seed in range(CHANCES)]
    taken = [text[hole.start : hole.end].strip() for hole in holes if hole]
    prose = sum(line in ("# comment", "prose") for line in taken)
    assert 0 < prose < sum(line in ("a()", "b()") for line in taken)


@pytest.mark.parametrize("kind", HOLES)
@pytest.mark.parametrize("text", ["", "\n", "  \n\n", "x", "\t", "\N{NO-BREAK SPACE}\n"])
def test_every_text_has_good_holes_or_none(kind: str, text: str) -> None:
    document = Document("", "", text)
    holes = [HOLES[kind](document, random.Random(seed)) for seed in range(50)]
    assert all(0 <= hole.start <= hole.end <= len(text) for hole in holes if hole)


def test_the_shares_of_the_kinds_make_a_hundred() -> None:
    for stage in STAGES.values():
        assert sum(stage.kinds.values()) == 100
        assert stage.kinds.keys() <= HOLES.keys()
    assert set().union(*(stage.kinds for stage in STAGES.values())) == HOLES.keys()
