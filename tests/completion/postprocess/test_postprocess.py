import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.completion.document import Document
from lsp_server.completion.item import Stage, Suggestion
from lsp_server.completion.postprocess import FILTERS, PLACE_FILTERS, Drop, FilterContext, postprocess
from lsp_server.completion.stops import keep_going

CODE = st.lists(
    st.sampled_from(
        [
            *("\n\n\n    \t()[]{}\"'`#/\\;:,.=+-_ab1é😀"),
            *("    ", "\n    ", "return x", "def f():", "else:", "} else {", "case 1:", "end", "</b>"),
            *('"""', "```", "//", "/*", "*/", "\r\n", "\u2028", "<think>"),
        ]
    ),
    max_size=24,
).map("".join)
LANGUAGES = st.sampled_from(["python", "c", "rust", "javascript", "markdown", "lua", ""])


@st.composite
def contexts(draw):
    source, language = draw(CODE), draw(LANGUAGES)
    document = Document.from_source("file:///drawn", language, source)
    snapshot = document.at_offset(draw(st.integers(0, len(document.text))))
    return FilterContext(snapshot, draw(st.booleans()), draw(st.sampled_from(["stop", "length"])))


@given(CODE, contexts(), st.sampled_from(FILTERS))
def test_a_filter_never_writes_anything_itself(text, context, step):
    text = text.replace("\r", "")
    result = step(Suggestion(text), context)
    if isinstance(result, Drop):
        assert result.rule == step.__name__
    else:
        remaining = iter(text)
        assert all(character in remaining for character in result.text)
        assert 0 <= result.replaces <= len(context.snapshot.line_suffix)


@settings(max_examples=300)
@given(st.lists(CODE, max_size=3), contexts())
def test_what_comes_out_can_go_in_again(texts, context):
    processed = postprocess(texts, context)
    assert (processed.dropped_by is None) == (not texts or bool(processed.suggestions))
    for suggestion in processed.suggestions:
        assert "\r" not in suggestion.text
        assert suggestion.text.strip()
        assert suggestion.replaces <= len(context.snapshot.line_suffix)
        postprocess([suggestion.text], context)
        postprocess([suggestion.text], context, PLACE_FILTERS)


@given(CODE, contexts())
def test_words_after_the_cursor_stay_on_their_line(text, context):
    if context.one_line and context.snapshot.line_suffix.strip():
        for suggestion in postprocess([text], context).suggestions:
            assert "\n" not in suggestion.text


@given(st.lists(CODE, max_size=8), contexts())
def test_stops_take_any_pieces(pieces, context):
    wanted = keep_going(context)
    text = ""
    for piece in pieces:
        text += piece
        if not wanted(text):
            break


@pytest.fixture
def context(drawn):
    return FilterContext(drawn("secret = f(|)"), multiline=False, finish_reason="stop")


def test_stages_tell_what_was_done_and_never_what_was_written(context):
    processed = postprocess(["token)\nnext", "token)", " "], context)
    assert processed.suggestions == (Suggestion("token)", 1),)
    assert processed.stages == (
        Stage("keep_one_line", "candidate 0: 11 characters -> 6 characters"),
        Stage("replace_line_tail", "candidate 0: 6 characters -> 6 characters replacing 1"),
        Stage("replace_line_tail", "candidate 1: 6 characters -> 6 characters replacing 1"),
        Stage("drop_empty", "candidate 2: dropped"),
        Stage("remove_duplicates", "2 -> 1 candidates"),
    )


def test_the_first_drop_is_the_reason_when_nothing_is_left(context):
    assert postprocess([")", ""], context).dropped_by == "drop_already_typed"
    assert postprocess(["", "a"], context).dropped_by is None
    assert postprocess([], context).dropped_by is None


def test_a_cached_answer_is_fitted_to_its_new_place(drawn):
    context = FilterContext(drawn("f(a|)"), multiline=True, finish_reason="stop")
    (shown,) = postprocess([", b)"], context, PLACE_FILTERS).suggestions
    assert shown == Suggestion(", b)", 1)
    assert postprocess([")"], context, PLACE_FILTERS).dropped_by == "drop_already_typed"
