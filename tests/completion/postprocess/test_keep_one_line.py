from lsp_server.completion.postprocess.keep_one_line import keep_one_line

FILTER = keep_one_line


def test_one_line_is_cut_after_it(check):
    check("x = |", model="1\ny = 2", shows="1", multiline=False)


def test_the_one_line_may_be_the_next(check):
    check("x = 1|", model="\ny = 2\nz = 3", shows="\ny = 2", multiline=False)
    check("x = 1|", model="\n\n  y = 2\nz = 3", shows="\n\n  y = 2", multiline=False)


def test_in_mid_line_a_line_that_comes_to_the_rest_is_kept(check):
    check("x = f(|, b)", model="a, b)\ny = 2", shows="a, b)")


def test_in_mid_line_several_lines_are_dropped(check):
    check("x = |g(b)", model="a\ny = 2")
    check("x = |g(b)", model="\n    a")


def test_closers_after_the_cursor_must_be_closed(check):
    check("f(|)", model="a, b)  # all\ng()", shows="a, b)  # all", multiline=False)
    check("f(|)", model="a,\n  b)", multiline=False)
    check("if (|) {", model="x > 0) {\n  y();", shows="x > 0) {", multiline=False, language="c")


def test_a_block_stays_a_block(check):
    check("def f():|", model="\n    a\n    b", shows="\n    a\n    b")
    check("call(|)", model="\n    a,\n)", shows="\n    a,\n)")


def test_one_line_alone_stays(check):
    check("x = |g(b)", model="a + ", shows="a + ")
    check("x = |", model="1", shows="1", multiline=False)


def test_refacts_single_line_drops_the_rest_of_the_line(check):
    check("f(|)", model="a)\n", shows="a)", multiline=False)
