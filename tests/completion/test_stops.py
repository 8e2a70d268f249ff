import re

import pytest

from lsp_server.completion.document import Document
from lsp_server.completion.postprocess import FilterContext, postprocess
from lsp_server.completion.stops import keep_going, line_repeat_stop, repetition_stop

PIECE = re.compile(r"\n\s*|[ \t]?\w+|[ \t]?[^\w\s]+|\s")


@pytest.fixture
def until(at):
    """What of a text is decoded, piece by piece, until it is stopped; all of it when it never is."""

    def until(drawing, model, *, language="python", multiline=True):
        wanted = keep_going(FilterContext(at(drawing, language), multiline, "stop"))
        text = ""
        for piece in PIECE.findall(model):
            text += piece
            if not wanted(text):
                break
        return text

    return until


def test_one_line_stops_at_its_end(until):
    assert until("x = |", "1\ny = 2\n", multiline=False) == "1\n"


def test_one_line_may_begin_on_the_next(until):
    assert until("x = 1|", "\ny = 2\nz = 3", multiline=False) == "\ny = 2\n"
    assert until("x = 1|", "\n\n\ny = 2\nz = 3", multiline=False) == "\n\n\ny = 2\n"


def test_in_mid_line_there_is_no_next_line(until):
    assert until("f(|)", "\n    a,\n", multiline=False) == "\n    "


def test_words_after_the_cursor_make_it_one_line(until):
    assert until("x = f(|, b)", "a, b)\nc\nd") == "a, b)\n"


def test_a_block_stops_where_another_begins(until):
    assert until("def f():\n    |", "return 1\n\nprint(f())") == "return 1\n\nprint("
    assert until("def f():\n    |", "return 1\n# Example usage\nf()") == "return 1\n#"


def test_a_definition_at_the_margin_stops_at_its_first_word(until):
    assert until("def f():\n    |", "return 1\n\ndef g():\n    pass") == "return 1\n\ndef"


def test_a_word_that_only_begins_like_a_definition_does_not(until):
    text = "defaults = 1\nclassify = 2\n"
    assert until("a = 1\n|", text) == text


def test_a_closer_and_what_may_follow_it_are_waited_for(until):
    text = "\n  b();\n} else {\n  c();\n}\n"
    assert until("if (a) {|", text + "d();", language="c") == text + "d" + "();"


def test_a_case_label_is_waited_for(until):
    text = "\n  a();\ncase 2:\n  b();\n"
    assert until("case 1:|", text, language="c") == text


def test_a_fence_stops(until):
    assert until("x = 1\n|", "y = 2\n```\nThis sets y.") == "y = 2\n```"


def test_a_fence_does_not_stop_where_there_are_fences(until):
    text = "run\n```\nmake\n```\n"
    assert until("To build,\n|", text, language="markdown") == text


def test_the_next_line_of_the_file_stops_at_once(until):
    assert until("|\nprint(left)\n", "a = 1\nprint(left)\nb = 2") == "a = 1\nprint(left)"
    assert until("|\nreturn left\n", "a = 1\nreturn left\nb = 2") == "a = 1\nreturn left\n"


def test_a_line_that_goes_on_after_the_words_of_the_next_does_not_stop(until):
    assert until("|\nx = 1", "a = 1\nx = 10\nb = 2") == "a = 1\nx = 10\nb = 2"


def test_a_line_nearly_the_next_of_the_file_stops(until):
    assert until("|\ncall(first, second)", "a = 1\ncall(first,second)\nb = 2").endswith("second)\n")


def test_the_words_of_the_next_line_deeper_do_not_stop(until):
    text = "if b:\n        c()\n    else:\n        d()\n"
    assert until("if a:\n    |\nelse:\n    e()", text) == text


def test_closing_lines_equal_to_the_next_do_not_stop(until):
    text = "{\n    a: 1,\n  },\n  {\n    a: 2,\n  },\n"
    assert until("x = [\n  |\n  },\n", text, language="javascript") == text


def test_three_identical_lines_stop(until):
    assert until("a = 1\n|", "b()\nb()\nb()\nb()\n") == "b()\nb()\nb()\n"


def test_two_identical_lines_do_not_stop(until):
    assert until("a = 1\n|", "b()\nb()\nc()\nb()\n") == "b()\nb()\nc()\nb()\n"
    assert not line_repeat_stop(["", "", ""])


def test_a_loop_within_a_line_stops(until):
    assert len(until("x = |", "a + " * 50)) < 80


def test_a_loop_broken_by_blanks_stops():
    pieces = [piece for n in range(12) for piece in ("x", " " * (n % 3 + 1))]
    assert repetition_stop(pieces)


def test_line_ends_without_end_are_a_loop_and_blanks_that_align_are_not():
    assert repetition_stop(["\n"] * 10)
    assert not repetition_stop(["key", ":", *[" "] * 30, "value"])


def test_rows_are_not_a_loop():
    rows = [piece for n in range(12) for piece in ("value", "_", str(n), " =", " ", str(n * n), ",", "\n")]
    assert not any(repetition_stop(rows[:end][-60:]) for end in range(len(rows)))


def test_text_in_a_string_over_lines_is_not_judged(until):
    text = 'sql = """\nfrom t\nselect *\n```\n"""\n    return sql\n'
    assert until("def f():\n    |", text) == text


def test_an_empty_piece_changes_nothing(at):
    wanted = keep_going(FilterContext(at("x = |"), multiline=False, finish_reason=""))
    assert wanted("")
    assert wanted("1")
    assert wanted("1")
    assert not wanted("1\n")


def test_carriage_returns_do_not_hide_a_line(until):
    assert until("|\nprint(left)\n", "a = 1\r\nprint(left)\r\nb").endswith("print(left)")


def test_tabbys_stop_trie_misses_a_stop_in_the_middle_of_a_piece(at):
    wanted = keep_going(FilterContext(at("x = |"), multiline=False, finish_reason=""))
    assert not wanted("1\nvoid x")
    wanted = keep_going(FilterContext(at("def f():\n    |"), multiline=True, finish_reason=""))
    assert not wanted("return 1\ndef g")


def test_continues_stops_cut_legitimate_code(until):
    text = "left // right\n    text.strip()\n    x = '/src/'\n"
    assert until("def f():\n    |", text) == text


@pytest.mark.parametrize(
    ("drawing", "model"),
    [
        ("def f():\n    |", "return 1\n\n\ndef g():\n    return 2\n\n\ndef h():\n    return 3\n"),
        ("def a():\n    |\n\n\ndef b():\n    return 2\n", "return 1\n\n\ndef b():\n    return 2\n"),
        ("x = |", "1\ny = 2\nz = 3\n"),
        ("a = 1\n|", "b = 2\nc()\nc()\nc()\nc()\n"),
        ("x = 1\n|", "y = 2\n```\nThis sets y.\n"),
        ("if a:|", "\n    b()\nelse:\n    c()\nd()\n"),
    ],
)
@pytest.mark.parametrize("multiline", [False, True])
def test_what_is_shown_is_the_same_with_and_without_stopping(until, at, drawing, model, multiline):
    context = FilterContext(at(drawing), multiline, "stop")
    stopped = until(drawing, model, multiline=multiline)
    assert len(stopped) < len(model)
    assert postprocess([stopped], context).suggestions == postprocess([model], context).suggestions


def test_the_work_grows_with_the_text_and_not_faster(monkeypatch):
    taken = []
    monkeypatch.setattr("lsp_server.completion.scope.Scope.take", lambda _self, line: taken.append(line))
    wanted = keep_going(
        FilterContext(Document("file:///a", "python", "").at(0, 0), multiline=True, finish_reason="")
    )
    text = ""
    for n in range(100):
        text += f"value_{n} = {n * n}\n"
        assert wanted(text)
    assert taken == text.split("\n")[1:-1]


def test_it_stops_after_a_name_that_says_the_same_twice_unless_the_file_has_it(until):
    model = "\n    level: str,\n    level_name_name: str,\n    level_name_name_name: str,\n"
    assert until("def log(|\n):", model) == "\n    level: str,\n    level_name_name: str,\n    "
    assert until("from a import name_name\n\ndef log(|\n):", model) == model
