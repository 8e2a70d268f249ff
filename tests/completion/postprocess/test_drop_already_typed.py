from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess import Drop, FilterContext
from lsp_server.completion.postprocess.drop_already_typed import drop_already_typed

FILTER = drop_already_typed


def test_a_text_that_replaces_itself_is_dropped(drawn):
    context = FilterContext(drawn("foo(a|)"), multiline=False, finish_reason="stop")
    assert drop_already_typed(Suggestion(")", 1), context) == Drop("drop_already_typed")


def test_whole_lines_that_follow_the_cursor_are_dropped(check):
    check("a = 1|\nb = 2\nc = 3", model="\nb = 2\n")
    check("a = 1|\nb = 2", model="\nb = 2")


def test_a_line_that_goes_on_is_not_already_there(check):
    check("a = 1|\nb = 20", model="\nb = 2", shows="\nb = 2")


def test_a_text_with_something_new_stays(check):
    check("foo(|)", model="a)", shows="a)")


def test_empty_text_is_another_rule(check):
    check("a|", model="", shows="")
