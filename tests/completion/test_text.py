import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.completion.text import (
    indentation_width,
    is_closing_line,
    is_nearly_line,
    lines_below,
    opens_block,
    starts_with_closer,
    within_distance,
    written_lines,
)

WORDS = st.text("ab", max_size=8)


def distance(one, other):
    """The textbook's recursion."""
    if not one or not other:
        return len(one) + len(other)
    changed = distance(one[1:], other[1:]) + (one[0] != other[0])
    return min(changed, distance(one[1:], other) + 1, distance(one, other[1:]) + 1)


@given(WORDS.filter(lambda word: len(word) < 6), WORDS.filter(lambda word: len(word) < 6), st.integers(0, 6))
def test_the_distance_is_that_of_the_textbook(one, other, limit):
    assert within_distance(one, other, limit) == (distance(one, other) <= limit)


@pytest.mark.parametrize(
    ("line", "width"), [("a", 0), ("  a", 2), ("\ta", 4), ("  \ta", 4), ("\t a", 5), ("", 0)]
)
def test_a_tab_reaches_to_the_next_multiple_of_four(line, width):
    assert indentation_width(line) == width


@pytest.mark.parametrize("line", ["}", "  });", "</div>", "end", "end)", "]", "  fi", "done;", "} ]", "),"])
def test_lines_that_only_close(line):
    assert is_closing_line(line)
    assert starts_with_closer(line)


@pytest.mark.parametrize("line", ["", "  ", ";", "} else {", "ending", "end_time = 1", "a)", "fifth()"])
def test_lines_that_do_more_or_less_than_close(line):
    assert not is_closing_line(line)


def test_a_line_may_close_and_go_on():
    assert starts_with_closer("} else {")
    assert not starts_with_closer("done = True")


@pytest.mark.parametrize(
    "line", ["def f():", "if (a) {", "x = [", "f(", "a => ", "fn f() ->", "loop do", "else", "if a:  # so"]
)
def test_lines_that_open_a_block(line):
    assert opens_block(line)


@pytest.mark.parametrize("line", ["return", "x = 1", "undo", "a)", "x > y", ""])
def test_lines_that_open_nothing(line):
    assert not opens_block(line)


def test_lines_are_nearly_the_same_when_only_blanks_and_quotes_differ():
    assert is_nearly_line("  call(first, 'second')", '  call(first,"second",);')
    assert not is_nearly_line("raises(1 * x)", "raises(1 ** x)")
    assert not is_nearly_line("  else:", "else:")
    assert not is_nearly_line("plot.set_xlim(low, high)", "plot.set_ylim(low, high)")
    assert not is_nearly_line("a", "a")


def test_the_lines_below_skip_blank_ones(at):
    assert lines_below(at("a|\n\nb  \n \nc\nd"), 2) == ["b", "c"]
    assert lines_below(at("a|"), 2) == []


def test_a_cursor_line_that_gets_nothing_is_not_written(at):
    assert written_lines("\n  b", at("a|")) == ["  b"]
    assert written_lines("b\n  c", at("a|")) == ["ab", "  c"]
