import pytest

from lsp_server.completion.postprocess.replace_line_tail import replace_line_tail

FILTER = replace_line_tail


@pytest.mark.parametrize(
    ("drawing", "model", "replaces"),
    [
        ("foo(|)", "a, b)", 1),
        ("foo(|)", "a, b);", 1),
        ("foo(|);", "a, b);", 2),
        ("foo(|);", "a, b)", 1),
        ("foo(bar(|))", "a))", 2),
        ("foo(bar(|)", "a))", 1),
        ("check(str(|),", "a),", 2),
        ("return ((|)", "a in b)", 1),
        ("def f(|):", "a, b):\n    return a", 2),
        ("def f(|):", "a: int) -> int:\n    return a", 2),
        ("if (|) {", "x > 0) {\n  return;", 3),
        ("run(function () {|})", "\n  a();\n})", 2),
        ('print("|")', 'hello")', 2),
        ('"""|"""', 'Area."""', 3),
        ("while |:", "x[1:2]:", 1),
        ("x = |;", "f();", 1),
    ],
)
def test_closers_written_again_are_replaced(check, drawing, model, replaces):
    check(drawing, model=model, shows=model, replaces=replaces)


@pytest.mark.parametrize(
    ("drawing", "model"),
    [
        ("foo(|)", "a, b"),
        ("print(|)", "f(x)"),
        ("print(|)", "x[0]"),
        ("foo(|)", "a) + (b"),
        ('print("|")', "hello"),
        ('print("|")', 'a" + "b'),
        ("if |:", "x == {1: 2}"),
        ("print(|)", "')'"),
        ("x = [|]", "a[1], b[2]"),
    ],
)
def test_closers_that_belong_to_the_middle_replace_nothing(check, drawing, model):
    check(drawing, model=model, shows=model)


@pytest.mark.parametrize(
    ("drawing", "model", "shows"),
    [
        ("x = f(|, b)", "a, b)", "a"),
        ("x = |foo(1)", "bar + foo(1)", "bar + "),
        ("def f(|) -> int:", "a) -> int:", "a"),
        ("x = f(|, b)", "a,", "a"),
        ("return |value + 1", "not value", "not "),
        ("foo(|  )", "a)", "a"),
    ],
)
def test_what_follows_the_cursor_is_not_written_again(check, drawing, model, shows):
    check(drawing, model=model, shows=shows)


def test_what_follows_can_be_enclosed(check):
    check("x = |foo(1)", model="bar(foo(1))", shows="bar(foo(1))", replaces=6)


@pytest.mark.parametrize(
    ("drawing", "model"),
    [
        ("x = |foo(1)", "bar + "),
        ("x = |a", "max(a, b) + "),
        ("x = |value", "new_"),
        ("foo(|).bar", "f(y)"),
        ("|foobar", "foo"),
        ("x = |", "1"),
        ("x = |  ", "1"),
    ],
)
def test_a_middle_that_fits_is_not_touched(check, drawing, model):
    check(drawing, model=model, shows=model)


def test_continues_bracket_filter_trips_over_strings(check):
    check("print(|)", model='"(" + x', shows='"(" + x')
    check("print(|)", model='")")', shows='")")', replaces=1)


def test_a_comment_does_not_swallow_the_rest_of_the_line(check):
    check("foo(|)", model="a  # first (of all", shows="a")
    check("foo(|)", model="a)  # all", shows="a)", replaces=1)
    check("x = |foo(1)", model="a +  # all", shows="a +")


def test_a_comment_with_nothing_after_it_stays(check):
    check("x = |", model="1  # one", shows="1  # one")
    check("x = 1  # |(b)", model="see ", shows="see ")
    check("f(|)", model="a /* all */", shows="a /* all */", language="c")


def test_apostrophes_of_rust_are_no_quotes(check):
    check("fn f<'a>(|)", model="x: &'a str)", shows="x: &'a str)", replaces=1, language="rust")


def test_twinny_slices_the_original_by_the_length_of_normalised_text(check):
    check("x = f(|,  b)", model="a,  b)", shows="a")
    check('x = f(|,  "😀")', model='"😁",  "😀")', shows='"😁"')


def test_closers_outside_the_basic_plane_count_as_one(check):
    check('print("😀|")', model='😀😀")', shows='😀😀")', replaces=2)
