import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp_server.completion.document import Document
from lsp_server.completion.item import Completion, Suggestion
from lsp_server.lsp import convert
from lsp_server.lsp.convert import Dialect
from lsp_server.settings import Settings

ENCODINGS = ("utf-8", "utf-16", "utf-32")
WIDTHS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
LINE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))
encodings = pytest.mark.parametrize("encoding", ENCODINGS)


def at(drawing, language="python"):
    before, _, after = drawing.partition("|")
    document = Document.from_source("file:///project/a.py", language, before + after)
    return document.at_offset(len(before.replace("\r\n", "\n").replace("\r", "\n")))


def draw(snapshot):
    return f"{snapshot.prefix}|{snapshot.suffix}"


def inline(drawing, text, dialect=None, **fields):
    completion = Completion((Suggestion(text, **fields),), id="c1")
    (item,) = convert.inline_items(completion, at(drawing), dialect or Dialect())
    return item


def item(drawing, text, dialect=None, language="python", **fields):
    dialect = dialect or Dialect()
    return convert.completion_item("c1", Suggestion(text, **fields), at(drawing, language), dialect)


def span(item_range):
    assert item_range.start.line == item_range.end.line
    return item_range.start.character, item_range.end.character


@given(line=LINE, column=st.integers(0, 40), encoding=st.sampled_from(ENCODINGS))
def test_a_column_survives_the_way_to_the_editor_and_back(line, column, encoding):
    column = min(column, len(line))
    assert convert.code_points(line, convert.units(line[:column], encoding), encoding) == column


@given(text=LINE, encoding=st.sampled_from(ENCODINGS))
def test_a_text_is_as_long_as_its_encoding_says(text, encoding):
    codec, width = WIDTHS[encoding]
    assert convert.units(text, encoding) == len(text.encode(codec)) // width


@given(line=LINE, units=st.integers(0, 200), encoding=st.sampled_from(ENCODINGS))
def test_a_position_never_lies_beyond_its_line(line, units, encoding):
    column = convert.code_points(line, units, encoding)
    assert 0 <= column <= len(line)
    assert convert.units(line[:column], encoding) <= units


@pytest.mark.parametrize(("encoding", "units"), [("utf-16", 2), ("utf-8", 2), ("utf-8", 3), ("utf-8", 4)])
def test_a_position_inside_a_character_is_before_it(encoding, units):
    assert convert.code_points("x😀y", units, encoding) == 1


@encodings
def test_a_position_past_the_end_of_a_line_is_its_end(encoding):
    document = Document.from_source("file:///a", "python", "één\r\ntwo")
    assert draw(convert.snapshot(document, types.Position(0, 99), encoding)) == "één|\ntwo"


@encodings
def test_a_position_past_the_last_line_is_the_end_of_the_file(encoding):
    document = Document.from_source("file:///a", "python", "one\ntwo")
    assert draw(convert.snapshot(document, types.Position(7, 1), encoding)) == "one\ntwo|"


def test_an_empty_file_has_one_place():
    document = Document.from_source("file:///a", "python", "")
    assert draw(convert.snapshot(document, types.Position(3, 3), "utf-16")) == "|"


def test_only_the_line_ends_of_lsp_end_a_line():
    document = Document.from_source("file:///a", "python", "a\fb\x85c\u2028d\nnext")
    assert draw(convert.snapshot(document, types.Position(1, 2), "utf-16")) == "a\fb\x85c\u2028d\nne|xt"


def test_a_key_press_asks_for_several_candidates_and_typing_for_one():
    invoked = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked)
    typed = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic)
    settings = Settings(candidates=4)
    assert convert.ask(invoked, at("x|"), settings, "utf-16").candidates == 4
    assert convert.ask(typed, at("x|"), settings, "utf-16").candidates == 1


@pytest.mark.parametrize(("encoding", "start"), [("utf-8", 9), ("utf-16", 6), ("utf-32", 5)])
def test_a_selected_item_is_measured_in_code_points(encoding, start):
    cursor = at('"😀é"+pri|')
    end = start + 3
    chosen = types.SelectedCompletionInfo(
        types.Range(types.Position(0, start), types.Position(0, end)), "print"
    )
    context = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic, chosen)
    ask = convert.ask(context, cursor, Settings(), encoding)
    assert (ask.selected, ask.selected_length) == ("print", 3)


def test_ghost_text_is_inserted_at_the_cursor():
    ghost = inline("def add(a, b):\n    return |", "a + b")
    assert ghost.insert_text == "a + b"
    assert ghost.range.start.line == 1
    assert span(ghost.range) == (11, 11)
    assert ghost.filter_text is None
    assert ghost.command is not None
    assert (ghost.command.command, ghost.command.arguments) == ("fim-ls.accepted", ["c1", 0])


@pytest.mark.parametrize(("encoding", "start"), [("utf-8", 10), ("utf-16", 8), ("utf-32", 7)])
def test_ghost_text_takes_the_place_of_the_closers_it_brings(encoding, start):
    ghost = inline('f("😀", |)', "b)", Dialect(encoding), replaces=1)
    assert span(ghost.range) == (start, start + 1)


def test_ghost_text_that_spells_a_selected_item_takes_the_place_of_what_was_typed():
    ghost = inline("    pri|", "print(x)", replaces_before=3)
    assert span(ghost.range) == (4, 7)
    assert ghost.filter_text is None


def test_ghost_text_for_an_item_typed_in_capitals_is_not_filtered_away():
    ghost = inline("    PRI|", "print(x)", replaces_before=3)
    assert ghost.filter_text == "PRInt(x)"


def test_each_candidate_has_its_own_number():
    completion = Completion((Suggestion("a"), Suggestion("b")), id="c7")
    items = convert.inline_items(completion, at("x = |"), Dialect())
    assert [one.command.arguments for one in items] == [["c7", 0], ["c7", 1]]


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_a_suggestion_has_the_line_ends_of_the_file(eol):
    drawing = f"def f():{eol}    |"
    assert inline(drawing, "x = 1\ny = 2").insert_text == f"x = 1{eol}y = 2"
    assert item(drawing, "x = 1\ny = 2").text_edit.new_text == f"x = 1{eol}y = 2"


def test_a_client_that_inserts_carriage_returns_gets_none():
    dialect = Dialect(only_newlines=True)
    assert inline("a\r\n|", "x\ny", dialect).insert_text == "x\ny"


def test_a_completion_item_takes_the_word_before_the_cursor_in():
    completion = item("def add(a, b):\n    ret|", "urn a + b")
    assert completion.label == "return a + b"
    assert completion.text_edit.new_text == "return a + b"
    assert span(completion.text_edit.range) == (4, 7)
    assert completion.filter_text.startswith("ret")


def test_a_completion_item_with_no_word_before_it_is_only_inserted():
    completion = item("x = |", "1 + 2")
    assert completion.text_edit.new_text == "1 + 2"
    assert span(completion.text_edit.range) == (4, 4)


@encodings
def test_the_word_before_the_cursor_may_be_in_any_script(encoding):
    completion = item("  größ|", "e = 1", Dialect(encoding))
    assert completion.text_edit.new_text == "größe = 1"
    assert span(completion.text_edit.range) == (2, 2 + convert.units("größ", encoding))


def test_the_edit_of_a_completion_item_covers_what_it_replaces():
    completion = item("print(na|)", "me)", replaces=1)
    assert span(completion.text_edit.range) == (6, 9)


def test_a_label_is_one_trimmed_line():
    assert item("def f():|", "\n    return 1\n").label == "return 1"
    assert item("x = |", "y\n" * 3).label == "y"


def test_a_long_label_is_cut():
    label = item("x = |", "a" * 500).label
    assert len(label) == convert.LONGEST_LABEL
    assert label.endswith("…")


def test_the_whole_text_is_shown_beside_the_list():
    documentation = item("def f():|", "\n    return 1", language="python").documentation
    assert documentation.kind == types.MarkupKind.Markdown
    assert documentation.value == "```python\n\n    return 1\n```"


def test_a_fence_in_the_text_does_not_end_the_documentation():
    documentation = item("|", "````\nx\n````").documentation
    assert documentation.value.startswith("`````python\n")


def test_a_client_without_markdown_gets_plain_text():
    documentation = item("|", "a *b*", Dialect(markdown=False)).documentation
    assert (documentation.kind, documentation.value) == (types.MarkupKind.PlainText, "a *b*")


def test_a_completion_item_is_inserted_as_it_stands():
    completion = item("def f():|", "\n    return 1")
    assert completion.insert_text_format == types.InsertTextFormat.PlainText
    assert completion.insert_text_mode == types.InsertTextMode.AsIs


def test_a_completion_list_is_asked_for_anew_at_every_key():
    found = convert.completion_list(Completion(), at("x|"), Dialect())
    assert found.is_incomplete
    assert not found.items


@given(before=LINE, after=LINE, text=LINE, encoding=st.sampled_from(ENCODINGS), data=st.data())
def test_an_edit_stays_on_the_cursor_line_and_around_the_cursor(before, after, text, encoding, data):
    replaces = data.draw(st.integers(0, len(after)))
    cursor = Document("file:///a", "python", f"x\n{before}{after}\ny").at_offset(2 + len(before))
    edits = (
        convert.inline_items(Completion((Suggestion(text, replaces),)), cursor, Dialect(encoding))[0].range,
        convert.completion_item("", Suggestion(text, replaces), cursor, Dialect(encoding)).text_edit.range,
    )
    for edit in edits:
        assert edit.start.line == edit.end.line == 1
        assert edit.start.character <= convert.units(before, encoding) <= edit.end.character
        assert edit.end.character == convert.units(before + after[:replaces], encoding)
