import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.completion.document import Document


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
