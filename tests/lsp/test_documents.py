"""Edits, checked against the plainest reading of the protocol: find both offsets, cut, paste."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp_server.completion.document import Document
from lsp_server.lsp.documents import (
    LONGEST_LINE,
    MOST_CHARACTERS,
    MOST_SPLICED,
    OpenDocument,
    OpenDocuments,
    split_lines,
)

ENCODINGS = ("utf-8", "utf-16", "utf-32")
WIDTHS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
TEXT = st.lists(st.sampled_from([*"ab\n\r\t\f\v\x1c\x85\u2028é😀", '"""', "'''", "```"]), max_size=30).map(
    "".join
)
PLACE = st.tuples(st.integers(0, 8), st.integers(0, 12))


def opened(text, encoding="utf-16"):
    return OpenDocument(types.TextDocumentItem("file:///a.py", "python", 1, text), encoding)


def edit(start, end, text):
    span = types.Range(types.Position(*start), types.Position(*end))
    return types.TextDocumentContentChangePartial(range=span, text=text)


def source(document):
    return "".join(document._lines)


def offset(text, line, character, encoding):
    """The plain way: walk over the line ends, then over the characters."""
    start = 0
    for _ in range(line):
        found = re.compile("\r\n|\n|\r").search(text, start)
        if found is None:
            return len(text)
        start = found.end()
    codec, width = WIDTHS[encoding]
    used = 0
    while start < len(text) and text[start] not in "\r\n":
        used += len(text[start].encode(codec)) // width
        if used > character:
            break
        start += 1
    return start


@given(
    text=TEXT,
    edits=st.lists(st.tuples(PLACE, PLACE, TEXT), max_size=5),
    encoding=st.sampled_from(ENCODINGS),
)
def test_edits_land_where_the_protocol_says(text, edits, encoding):
    document = opened(text, encoding)
    for one, other, new in edits:
        start, end = sorted((one, other))
        document.apply(edit(start, end, new))
        first, last = (offset(text, *place, encoding) for place in (start, end))
        text = text[:first] + new + text[last:]
        assert source(document) == text
        assert document._lines == split_lines(text)
        assert document._characters == len(text)


@given(text=TEXT, edits=st.lists(st.tuples(PLACE, PLACE, TEXT, st.booleans()), max_size=5))
def test_a_document_made_from_the_one_before_it_is_the_one_that_its_text_makes(text, edits):
    document = opened(text)
    for one, other, new, is_looked_at in edits:
        document.apply(edit(*sorted((one, other)), new), 2)
        if not is_looked_at:
            continue
        given_out = document.document
        fresh = Document.from_source("file:///a.py", "python", source(document), 2)
        assert given_out == fresh
        assert given_out.mark.whole == fresh.mark.whole
        assert [given_out.start_of(line) for line in range(len(fresh.lines))] == list(fresh.line_starts)
        assert given_out.start_of(len(fresh.lines)) is None
        assert all(
            given_out.counts_before(start) == fresh.counts_before(start) for start in fresh.line_starts
        )


def test_many_edits_that_nobody_looks_between_are_put_together_at_once():
    document = opened("a\n" * 4)
    assert document.document.text == "a\n" * 4
    for _ in range(3 * MOST_SPLICED):
        document.apply(edit((2, 0), (2, 0), "b"))
    assert document.document.text == "a\na\n" + "b" * 3 * MOST_SPLICED + "a\na\n"


@given(TEXT)
def test_lines_with_their_ends_are_the_text(text):
    lines = split_lines(text)
    assert "".join(lines) == text
    assert lines == [*re.findall("[^\r\n]*(?:\r\n|\r|\n)", text), re.split("\r\n|\r|\n", text)[-1]]


@pytest.mark.parametrize("separator", ["\f", "\v", "\x1c", "\x85", "\u2028", "\u2029"])
def test_an_edit_below_an_odd_separator_lands_on_its_line(separator):
    document = opened(f"a{separator}b\nsecond\n")
    document.apply(edit((1, 0), (1, 6), "SECOND"))
    assert source(document) == f"a{separator}b\nSECOND\n"


def test_a_line_end_may_be_completed_from_either_side():
    document = opened("a\rb\n")
    document.apply(edit((1, 0), (1, 1), ""))
    assert document._lines == ["a\r\n", ""]
    document.apply(edit((0, 1), (1, 0), "\r"))
    document.apply(edit((1, 0), (1, 0), "\n"))
    assert document._lines == ["a\r\n", ""]


def test_a_change_without_a_range_is_the_whole_text():
    document = opened("old")
    document.apply(types.TextDocumentContentChangeWholeDocument("new\ntext"), 7)
    assert (source(document), document.version) == ("new\ntext", 7)


def test_a_reversed_range_is_read_the_right_way_round():
    document = opened("abc")
    document.apply(edit((0, 2), (0, 1), "X"))
    assert source(document) == "aXc"


def test_the_document_given_out_is_frozen():
    document = opened("one\r\ntwo")
    before = document.document
    assert document.document is before
    document.apply(edit((0, 0), (0, 3), "1"), 2)
    assert (before.text, before.version) == ("one\ntwo", 1)
    assert (document.document.text, document.document.version) == ("1\ntwo", 2)
    assert document.document.eol == "\r\n"


def test_half_a_surrogate_pair_becomes_a_replacement_character():
    document = opened("a\ud83db")
    document.apply(edit((0, 1), (0, 2), "\udc00"))
    assert source(document) == "a\ufffdb"


def test_a_document_that_is_too_long_is_too_large():
    document = opened("x = 1\n" * 10)
    assert not document.is_too_large_at(0)
    document.apply(types.TextDocumentContentChangeWholeDocument("x = 1\n" * (MOST_CHARACTERS // 6 + 1)))
    assert document.is_too_large_at(0)
    document.apply(edit((0, 0), (10, 0), ""))
    assert not document.is_too_large_at(0)


def test_a_very_long_line_counts_only_near_the_cursor():
    document = opened("x\n" * 1000 + "y" * (LONGEST_LINE + 1))
    assert not document.is_too_large_at(5)
    assert document.is_too_large_at(990)
    assert document.is_too_large_at(5000)


def test_a_document_that_was_never_opened_is_not_followed():
    documents = OpenDocuments()
    identifier = types.VersionedTextDocumentIdentifier(2, "file:///b.py")
    documents.change(types.DidChangeTextDocumentParams(identifier, [edit((0, 0), (0, 0), "x")]))
    documents.close("file:///b.py")
    assert documents.find("file:///b.py") is None
