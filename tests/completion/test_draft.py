"""What is settled while a model writes stays, whatever it writes next."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.completion.document import Document
from lsp_server.completion.draft import Draft
from lsp_server.completion.postprocess import FilterContext, postprocess

PLACES = (
    "def area(radius):\n    |",
    "def area(radius):\n    |\n\n\ndef volume(radius):\n    return 1\n",
    "def area(radius):\n    |\n    return area\n",
    "def area(radius):|\n    x = 1\n    y = 2\n    z = 3\n",
    "if x:\n    |\n)\n}\n",
    "values = [|]\n",
    'def f():\n    """|\n    """\n',
    "    x = f(|\n    )\n",
    "|\nx = 1\ny = 2\n",
)
LINES = (
    "    x = 1",
    "    y = 2",
    "    z = 3",
    "x = 1",
    "y = 2",
    "return area",
    "    return area",
    "    if x:",
    "        pass",
    "    )",
    ")",
    "}",
    "",
    "    ",
    '    """',
    "def volume(radius):",
    "```",
    "```python",
    "<think>",
    "</think>",
    "    # a comment  ",
    "    x = 1  ",
)
LANGUAGES = ("python", "markdown", "javascript")


def at(drawing, language="python", multiline=True, finish_reason="stop"):
    before, _, after = drawing.partition("|")
    snapshot = Document("file:///a.py", language, before + after).at_offset(len(before))
    return FilterContext(snapshot, multiline, finish_reason)


def final(text, context):
    processed = postprocess([text], context)
    return processed.suggestions[0].text if processed.suggestions else "", processed.dropped_by


@settings(max_examples=150)
@given(
    st.sampled_from(PLACES),
    st.lists(st.sampled_from(LINES), max_size=9),
    st.sampled_from(("stop", "length")),
    st.sampled_from(LANGUAGES),
    st.data(),
)
def test_what_is_settled_is_how_the_suggestion_begins(drawing, lines, reason, language, data):
    context = at(drawing, language, finish_reason=reason)
    text = "\n".join(lines)
    shown, dropped_by = final(text, context)
    cut = data.draw(st.integers(0, len(text)))
    settled = Draft(text[:cut], context).settled
    assert shown.startswith(settled) or dropped_by == "drop_repetition"


@settings(max_examples=150)
@given(st.sampled_from(PLACES), st.lists(st.sampled_from(LINES[:3]), max_size=12), st.data())
def test_nothing_is_settled_that_may_come_to_repeat_the_lines_before_it(drawing, lines, data):
    context = at(drawing)
    text = "\n".join(lines)
    shown, dropped_by = final(text, context)
    cut = data.draw(st.integers(0, len(text)))
    assert shown.startswith(Draft(text[:cut], context).settled) or dropped_by == "drop_repetition"


def test_lines_that_come_again_are_settled_once():
    context = at("def area(radius):\n    |")
    lines = ["a = 1", "    b = 2", "    c = 3", "    a = 1", "    b = 2", "    d = 4", "    e = 5"]
    settled = [Draft("\n".join(lines[:count]) + "\n", context).settled.count("\n") for count in range(3, 8)]
    assert settled == [1, 2, 2, 4, 5], "lines are held back while they may be a second round"


def test_a_repetition_is_known_where_blanks_stay_at_the_ends_of_lines():
    context = at("notes\n|", "markdown")
    line, text = "* again  \n", "* one\n* two\n* three\n"
    settled = [Draft(text + count * line, context).settled for count in (1, 2, 3)]
    assert settled == ["* one\n* two\n* three"] * 2 + ["* one\n* two"]
    assert final(text + 3 * line, context) == ("* one\n* two\n* three", None)


def test_lines_are_settled_one_after_the_other():
    context = at("def area(radius):\n    |")
    text = "square = radius * radius\n    scaled = 3.14 * square\n    return scaled\n"
    seen = [Draft(text[:end], context).settled for end in range(len(text) + 1)]
    assert list(dict.fromkeys(seen)) == [
        "",
        "square = radius * radius",
        "square = radius * radius\n    scaled = 3.14 * square",
    ]


@pytest.mark.parametrize(
    ("drawing", "text"),
    [
        ("x = |", "1\ny = 2\nz = 3\n"),
        ("values = [|]\n", "1,\n    2,\n    3,\n"),
        ("def f():\n    |\n\n\nx = 1\n", "a = 1\n    b = 2\n"),
    ],
    ids=["one line", "before brackets", "while the lines below may be coming"],
)
def test_where_the_whole_text_counts_nothing_is_settled_early(drawing, text):
    context = at(drawing, multiline=drawing != "x = |")
    assert Draft(text, context).settled == ""


def test_the_suggestion_of_a_draft_is_what_would_be_shown_if_the_model_ended_there():
    context = at("total = |")
    assert Draft("total = first", context).suggestion.text == "first"
    assert Draft("  ", context).suggestion is None
