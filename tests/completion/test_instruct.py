import pytest

from lsp_server.completion.document import Document
from lsp_server.completion.instruct import (
    INSTRUCT_FORMATS,
    Task,
    code_of,
    explain_task,
    fit,
    last_comment_line,
    render_instruct,
    write_task,
)

ALPACA = INSTRUCT_FORMATS["alpaca"]


class Words:
    """One token a character; special pieces lie beyond Unicode."""

    def encode(self, text):
        return [ord(character) for character in text]

    def special_id(self, piece):
        return 0x110000 if piece == "<|endoftext|>" else None


def at(drawing, language="python"):
    before, cursor, after = drawing.partition("|")
    assert cursor
    return Document("file:///a", language, before + after).at_offset(len(before))


def test_the_alpaca_prompt_is_the_one_of_the_card():
    prompt = render_instruct("Please explain the following program.", "x = 1", ALPACA, None)
    assert prompt.text == (
        "Below is an instruction that describes a task, paired with an input that provides further context."
        " Write a response that appropriately completes the request.\n"
        "\n"
        "### Instruction:\n"
        "Please explain the following program.\n"
        "\n"
        "### Input:\n"
        "x = 1\n"
        "\n"
        "### Response:"
    )
    assert prompt.ids is None


def test_what_is_filled_in_is_never_taken_for_a_part_of_the_template():
    assert ALPACA.fill("{input}", "{instruction}").endswith(
        "### Instruction:\n{input}\n\n### Input:\n{instruction}\n\n### Response:"
    )


def test_a_sentinel_spelled_in_the_code_stays_text():
    prompt = render_instruct("Explain.", 'stop = "<|endoftext|>"', ALPACA, Words())
    assert "".join(map(chr, prompt.ids)) == prompt.text
    assert prompt.stop_ids == {0x110000}


def test_an_answer_that_was_begun_is_gone_on_with():
    begun = render_instruct("Explain.", "x = 1", ALPACA, Words(), "\nIt sets")
    assert begun.text.endswith("### Response:\nIt sets")
    assert begun.ids == tuple(map(ord, begun.text))


def test_no_engine_is_sent_more_stop_strings_than_it_takes():
    for form in INSTRUCT_FORMATS.values():
        assert len(render_instruct("", "", form, None).stop_strings) <= 4


def test_a_selection_is_explained_without_the_indentation_it_has_as_a_whole():
    document = Document("file:///a.py", "python", "def f():\n    if x:\n        y()\n")
    task = explain_task(document, 9, len(document.text))
    assert task.given == "if x:\n    y()"
    assert task.needs_all


def test_white_space_is_not_explained():
    document = Document("file:///a.py", "python", "a\n  \n")
    assert explain_task(document, 1, 5) is None


@pytest.mark.parametrize(
    ("drawing", "language", "last"),
    [
        ("x = 1\n# add t|wo numbers", "python", 1),
        ("# add two\n|# numbers\nx = 1", "python", 1),
        ("|# add two\n# numbers\nx = 1", "python", 1),
        ("    # add two\n    |\n", "python", 0),
        ("// add t|wo numbers", "go", 0),
        ("-- add t|wo numbers", "lua", 0),
        ("x = 1  # add t|wo", "python", None),
        ("x = 1|", "python", None),
        ("\n\n|", "python", None),
        ("#include <stdio.h>|", "c", None),
        ("# a headline|", "markdown", None),
        ("url = '# no comment|'", "python", None),
    ],
)
def test_the_comment_at_the_cursor_is_found(drawing, language, last):
    snapshot = at(drawing, language)
    assert last_comment_line(snapshot) == last
    assert (write_task(snapshot) is None) is (last is None)


def test_code_is_written_for_the_comment_at_the_end_of_what_is_given():
    task = write_task(at("import math\n\n# area of a circle|\n\nx = 1\n"))
    assert task.given == "import math\n\n# area of a circle"
    assert "python" in task.instruction


def task(given, needs_all):
    return Task("", "", given, needs_all)


def test_of_code_that_does_not_fit_the_end_is_kept():
    assert fit(task("one\ntwo\nthree", needs_all=False), 10, len) == "two\nthree"
    assert fit(task("one\ntwo\nthree", needs_all=False), 100, len) == "one\ntwo\nthree"


def test_what_is_needed_whole_and_does_not_fit_is_nothing():
    assert fit(task("one\ntwo\nthree", needs_all=True), 10, len) is None
    assert fit(task("one\ntwo\nthree", needs_all=True), 14, len) == "one\ntwo\nthree"


@pytest.mark.parametrize(
    "answer",
    [
        "def f():\n    return 1\n",
        "\n```python\ndef f():\n    return 1\n```\nThis returns one.",
        "Here it is:\n\n```\ndef f():\n    return 1",
        "    def f():\n        return 1",
        "1. First\n\n   ```py\n   def f():\n       return 1\n   ```\n",
    ],
    ids=["bare", "fenced", "cut short", "indented", "in a list"],
)
def test_the_code_of_an_answer_is_put_at_the_indentation_of_the_comment(answer):
    assert code_of(answer, "\t") == "\tdef f():\n\t    return 1"


def test_an_answer_without_code_holds_none():
    assert code_of("\n\n```\n```", "    ") == ""
