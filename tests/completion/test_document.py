from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.completion.document import Counts, Document


def test_halves_and_lines_meet_at_the_cursor(at):
    snapshot = at("import re\ndef f(|x):\n    pass\n")
    assert snapshot.prefix == "import re\ndef f("
    assert snapshot.suffix == "x):\n    pass\n"
    assert (snapshot.line_prefix, snapshot.line_suffix) == ("def f(", "x):")
    assert snapshot.lines_above == ("import re",)
    assert snapshot.lines_below == ("    pass", "")


def test_indentation_ends_at_the_cursor(at):
    assert at("    |    x").indentation == "    "
    assert at("\t x|").indentation == "\t "


@pytest.mark.parametrize(("line", "character"), [(99, 0), (0, 99), (-1, -1), (1, 99)])
def test_a_position_outside_is_moved_into_the_text(line, character):
    snapshot = Document("file:///a", "python", "ab\ncd").at(line, character)
    assert 0 <= snapshot.offset <= 5
    assert snapshot.line_prefix + snapshot.line_suffix in {"ab", "cd"}


@pytest.mark.parametrize(
    ("source", "text", "eol"),
    [
        ("a\r\nb", "a\nb", "\r\n"),
        ("a\rb", "a\nb", "\r"),
        ("a\nb\r\n", "a\nb\n", "\r\n"),
        ("a\nb\rc", "a\nb\nc", "\n"),
        ("a\x0cb\x85c\u2028d", "a\x0cb\x85c\u2028d", "\n"),
    ],
)
def test_only_the_line_ends_of_lsp_are_line_ends(source, text, eol):
    document = Document.from_source("file:///a", "python", source)
    assert (document.text, document.eol) == (text, eol)


@given(st.text(alphabet="ab\n\U0001f600\u2028"), st.integers(0, 100))
def test_line_and_character_lead_back_to_the_same_offset(text, offset):
    document = Document("file:///a", "python", text)
    snapshot = document.at_offset(offset)
    assert document.at(snapshot.line, snapshot.character).offset == snapshot.offset
    assert snapshot.prefix + snapshot.suffix == text


@given(st.text(alphabet="ab\n\"'`"), st.integers(0, 100))
def test_what_is_looked_for_from_the_cursor_on_is_what_the_whole_text_holds(text, offset):
    document = Document("file:///a", "python", text)
    snapshot = document.at_offset(offset)
    line = text.count("\n", 0, snapshot.offset)
    assert (snapshot.line, document.start_of(line)) == (line, snapshot.line_start)
    assert tuple(snapshot.above()) == document.lines[:line][::-1]
    assert tuple(snapshot.below()) == document.lines[line + 1 :]
    assert snapshot.counts_above == Counts.of(text[: snapshot.line_start])
    assert snapshot.counts_below == Counts.of(text[snapshot.line_start :])


TYPED_IN = {
    "nothing": ("x = |\n", "x = \n", ""),
    "a part of a line": ("x = |\n", "x = 1 + 1\n", "1 + 1"),
    "lines": ("if x:\n    |\n", "if x:\n    y()\n    z()\n", "y()\n    z()"),
    "what follows too": ("f(|)", "f())", ")"),
    "something before": ("x = |\n", "xx = 1\n", None),
    "something behind": ("x = |\ny\n", "x = 1\nyy\n", None),
    "less": ("x = |\n", "x =\n", None),
}


@pytest.mark.parametrize(("before", "after", "typed"), TYPED_IN.values(), ids=TYPED_IN)
def test_what_was_typed_at_the_cursor_is_told_from_any_other_edit(at, before, after, typed):
    snapshot = at(before)
    assert snapshot.typed_in(replace(snapshot.document, text=after)) == typed
