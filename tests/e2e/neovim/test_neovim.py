"""What the user of a real Neovim sees.

A screen is drawn as its text, with ``|`` for the cursor and ``«…»`` around ghost text.
"""

import pytest

pytestmark = [
    pytest.mark.editor,
    # pynvim needs it up to Python 3.13; from 3.14 on it does without.
    pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning"),
]

ADD = {"text": "return a + b\n", "answers": {"return x": " * 2", "return a + b": ""}}
TOTAL = {"text": "\n    result = 0\n    return result\n", "answers": {"return result": ""}}


def test_tab_inserts_what_is_drawn_at_the_cursor(edit):
    editor = edit("def add(a, b):\n    |", echo=ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    assert editor.text == "def add(a, b):\n    "
    editor.type("<Tab>")
    editor.sees("def add(a, b):\n    return a + b|")
    assert editor.text == "def add(a, b):\n    return a + b"
    editor.hears("workspace/executeCommand complete")


def test_a_block_is_drawn_between_the_lines(edit):
    editor = edit("def total(items):|\n\n\nprint(total([1]))", echo=TOTAL)
    editor.sees("def total(items):|\n«    result = 0»\n«    return result»\n\n\nprint(total([1]))")
    editor.type("<Tab>")
    editor.sees("def total(items):\n    result = 0\n    return result|\n\n\nprint(total([1]))")


def test_a_file_with_carriage_returns_shows_none(edit):
    editor = edit("def total(items):|\r\n\r\nprint()\r\n", echo=TOTAL)
    editor.sees("def total(items):|\n«    result = 0»\n«    return result»\n\nprint()")
    editor.type("<Tab>")
    editor.sees("def total(items):\n    result = 0\n    return result|\n\nprint()")


def test_a_closer_that_stands_there_is_not_doubled(edit):
    editor = edit('print("é😀", |)', echo={"text": "a, b)"})
    assert editor.sees_ghost_text() in ("a, b", "a, b)")  # Neovim 0.12 draws over the old one
    editor.type("<Tab>")
    editor.sees('print("é😀", a, b)|')


def test_the_rest_of_the_line_is_drawn_where_it_will_stand(edit, our_drawing):
    editor = edit("numbers = set([|])", echo={"text": "\n    1,\n    2,\n]"})
    editor.sees("numbers = set([|\n«    1,»\n«    2,»\n«]»)")
    editor.type("<Tab>")
    editor.sees("numbers = set([\n    1,\n    2,\n]|)")


def test_text_drawn_in_a_line_has_blanks_for_its_tabs(edit, our_drawing):
    editor = edit("package main\n\nvar x = |", name="a.go", echo={"text": "1\t// one"})
    editor.sees("package main\n\nvar x = |«1       // one»")


def test_leaving_insert_mode_takes_the_ghost_text_away(edit):
    editor = edit("def add(a, b):\n    |", echo=ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<Esc>")
    editor.sees("def add(a, b):\n   |")


def test_typing_along_keeps_the_rest_and_typing_something_else_asks_anew(edit):
    editor = edit("def add(a, b):\n    |", echo=ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("return ")
    editor.sees("def add(a, b):\n    return |«a + b»")
    editor.type("x")
    editor.sees("def add(a, b):\n    return x|« * 2»")


def test_keys_that_come_all_at_once_take_what_is_left_of_the_ghost_text(edit, our_drawing):
    editor = edit("def add(a, b):\n    |", echo=ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("ret<Tab>")
    editor.sees("def add(a, b):\n    return a + b|")


def test_asking_anew_cancels_the_request_that_has_no_answer_yet(edit, our_drawing):
    editor = edit("def add(a, b):\n    |", echo={**ADD, "delay_ms": 5000})
    editor.hears("textDocument/inlineCompletion pending")
    editor.type("r")
    editor.hears("textDocument/inlineCompletion cancel")
    editor.hears("textDocument/inlineCompletion pending")


def test_where_nothing_more_is_suggested_the_ghost_text_goes(edit):
    editor = edit("def add(a, b):\n    |", echo={**ADD, "answers": {"return x": ""}})
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("return x")
    editor.sees("def add(a, b):\n    return x|")


def test_tab_without_ghost_text_is_a_tab(edit):
    editor = edit("def add(a, b):\n    |", echo={"text": ""})
    editor.hears("textDocument/inlineCompletion complete")
    editor.type("<Tab>")
    editor.sees("def add(a, b):\n        |")


def test_the_settings_of_the_readme_reach_the_server(edit, snippets):
    editor = edit("def total(items):\n    |", echo=TOTAL, readme=snippets)
    editor.sees("def total(items):\n    |«result = 0»")


@pytest.mark.model
def test_the_embedded_model_writes_an_expression(edit, embedded_gguf):
    editor = edit("def add(a, b):\n    return |")
    assert "a + b" in editor.sees_ghost_text()
