from lsp_server.completion.postprocess.trim_trailing_space import trim_trailing_space

FILTER = trim_trailing_space


def test_lines_and_the_end_are_trimmed(check):
    check("|", model="a  \n\t\n  b \n\n  ", shows="a\n\n  b")


def test_the_end_stays_when_something_follows_on_the_line(check):
    check("|x", model="not ", shows="not ")
    check("f(|)", model="  \n    a,  \n", shows="\n    a,\n")


def test_a_line_break_of_markdown_stays(check):
    check("|", model="one  \ntwo  ", shows="one  \ntwo", language="markdown")


def test_leading_space_stays(check):
    check("x|", model=" = 1", shows=" = 1")
