from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.evaluation.holes import KINDS, Source, choose, shares

MODULE = '''\
# Licence: to be read, not to be written.
"""A module."""

import math


class Circle:
    """Round."""

    def __init__(self, radius):
        self.radius = radius
        self.area = math.pi * radius ** 2

    def scaled(self, factor):
        scaled = Circle(self.radius * factor)
        return scaled
'''
LINES = st.sampled_from(
    [
        "",
        "  ",
        "# a",
        '"""',
        "x = 1",
        "def f():",
        "    return (a, b)",
        "    if a:",
        "        b()",
        ")",
        "é = '😀'",
        "\t}",
    ]
)


def project(languages=("python",), packages=("a",), files=3):
    return [
        Source(package, f"{language}/{number}.x", language, MODULE)
        for language in languages
        for package in packages
        for number in range(files)
    ]


def lines_of(hole):
    first = hole.before.count("\n")
    return range(first, first + hole.truth.count("\n") + 1)


def test_the_same_seed_gives_the_same_holes_in_whatever_order_the_files_come():
    sources = project(("python", "go"), ("a", "b"))
    assert choose(sources, 40, seed=3) == choose(reversed(sources), 40, seed=3)


def test_another_seed_gives_others():
    assert choose(project(), 20, seed=1) != choose(project(), 20, seed=2)


def test_each_kind_gets_its_share():
    assert shares(560) == {"rest of line": 250, "whole line": 150, "block": 100, "complete": 60}
    holes = choose(project(files=60), 56, seed=1)
    assert Counter(hole.kind for hole in holes) == KINDS


@pytest.mark.parametrize("samples", [1, 2, 7, 100])
def test_the_shares_make_up_the_number_that_is_wanted(samples):
    assert sum(shares(samples).values()) == samples


def test_no_hole_is_cut_into_the_licence_or_a_docstring():
    for hole in choose(project(files=1), 100, seed=1):
        assert lines_of(hole)[0] not in (0, 1, 7)


def test_no_line_is_in_two_holes():
    seen = set()
    for hole in choose(project(files=2), 200, seed=1):
        lines = {(hole.source.path, line) for line in lines_of(hole)}
        assert not lines & seen
        seen |= lines


def test_files_without_room_give_fewer_holes():
    assert len(choose(project(files=1), 1000, seed=1)) < 12
    assert choose([Source("a", "a.py", "python", "")], 10, seed=1) == []
    assert choose([], 10, seed=1) == []


def test_every_other_hole_is_of_the_preferred_language():
    holes = choose(project(("go", "python", "rust"), files=40), 56, seed=1)
    counts = Counter(hole.source.language for hole in holes)
    assert counts["python"] == 28 + 2, "the shares of the kinds are odd numbers"
    assert abs(counts["go"] - counts["rust"]) <= 4


def test_without_the_preferred_language_the_others_share():
    counts = Counter(hole.source.language for hole in choose(project(("go", "rust"), files=40), 40, seed=1))
    assert abs(counts["go"] - counts["rust"]) <= 4


def test_jsx_is_counted_as_javascript():
    sources = project(("javascript", "javascriptreact", "python"), files=20)
    holes = [hole for hole in choose(sources, 40, seed=1) if hole.kind != "complete"]
    counts = Counter(hole.source.family for hole in holes)
    assert set(counts) == {"javascript", "python"}
    assert abs(counts["javascript"] - counts["python"]) <= 3


def test_a_package_with_many_files_gets_no_more_than_one_with_few():
    sources = [*project(packages=("large",), files=30), *project(packages=("small",), files=4)]
    counts = Counter(hole.source.group for hole in choose(sources, 20, seed=1))
    assert abs(counts["large"] - counts["small"]) <= 4


def test_neighbours_are_of_different_files():
    holes = choose(project(packages=("a", "b", "c"), files=8), 30, seed=1)
    assert all(one.source != other.source for one, other in pairwise(holes))


def test_each_kind_is_cut_where_one_would_type():
    for hole in choose(project(files=40), 112, seed=1):
        line = hole.before.rpartition("\n")[2] + hole.truth.partition("\n")[0]
        typed = hole.before.rpartition("\n")[2]
        assert hole.after.startswith("\n")
        if hole.kind == "complete":
            assert hole.truth == ""
            assert typed.strip()
        elif hole.kind == "block":
            assert not typed.strip()
            assert hole.before.rstrip().endswith(":")
            assert 2 <= hole.truth.count("\n") + 1 <= 8
        else:
            assert "\n" not in hole.truth
            assert hole.truth.strip()
            assert hole.kind == "rest of line" or typed == line[: len(line) - len(line.lstrip())]


def test_lines_are_cut_anywhere():
    holes = [hole for hole in choose(project(files=60), 112, seed=1) if hole.kind == "rest of line"]
    edges = [(hole.before[-1:], hole.truth[:1]) for hole in holes]
    assert any(before.isalnum() and after.isalnum() for before, after in edges), "in the middle of a word"
    assert any(not hole.before.rpartition("\n")[2].strip() for hole in holes), "behind the indentation"
    assert any(before == " " and after.isalnum() for before, after in edges), "between words"


def test_a_place_is_the_file_without_what_is_missing_and_a_document_of_its_own(drawn):
    hole = drawn("a = «1»\nb = 2\n", path="my code/a b.py")
    place = hole.place("7")
    assert (place.prefix, place.suffix) == ("a = ", "\nb = 2\n")
    assert place.document.uri == "file:///7/a%20b.py"
    assert place.document.filename == "a b.py"
    assert place.document.language == "python"


@given(st.lists(st.lists(LINES).map("\n".join), max_size=4), st.integers(0, 60), st.integers(0, 5))
def test_the_pieces_of_a_hole_make_up_the_file(texts, samples, seed):
    sources = [Source("a", str(number), "python", text) for number, text in enumerate(texts)]
    for hole in choose(sources, samples, seed):
        assert hole.before + hole.truth + hole.after == hole.source.text
        place = hole.place("1")
        assert (place.prefix, place.suffix) == (hole.before, hole.after)
        assert (hole.kind == "complete") == (not hole.truth)
