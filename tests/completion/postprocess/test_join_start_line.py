from lsp_server.completion.postprocess.join_start_line import join_start_line

FILTER = join_start_line


def test_a_new_line_at_the_typed_indentation_joins_the_blank_line(check):
    check("def f():\n    |", model="\n    return 1", shows="return 1")
    check("def f():\n    |", model="  \n\n    return 1\n    ", shows="return 1\n    ")


def test_tabs_join_as_well(check):
    check("func f() {\n\t|\n}", model="\n\treturn 1", shows="return 1", language="go")


def test_another_indentation_stays_on_its_line(check):
    check("class A:\n    |", model="\n        deeper", shows="\n        deeper")
    check("def f():\n    |", model="\nx = 1", shows="\nx = 1")


def test_blank_lines_at_the_margin_stay(check):
    check("x = 1\n|", model="\n\ndef f():", shows="\n\ndef f():")


def test_a_line_with_text_is_not_joined(check):
    check("foo(|", model="\n    a,", shows="\n    a,")
