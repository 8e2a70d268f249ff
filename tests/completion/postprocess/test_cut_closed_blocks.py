from lsp_server.completion.postprocess.cut_closed_blocks import cut_closed_blocks

FILTER = cut_closed_blocks


def test_a_closer_that_the_file_has_is_cut(check):
    check("if (a) {\n  |\n}", model="b();\n}", shows="b();", language="c")


def test_several_closers_are_cut(check):
    check(
        "if (a) {\n  if (b) {\n    |\n  }\n}\n",
        model="c();\n  }\n\n}",
        shows="c();",
        language="c",
    )


def test_the_file_may_go_on_after_the_closer(check):
    check("if (a) {\n  |\n} else {", model="b();\n}", shows="b();", language="c")


def test_end_closes_too(check):
    check("def f\n  |\nend", model="1\nend", shows="1", language="ruby")


def test_a_line_after_the_condition_has_its_closer_in_the_file(check):
    check("if (|) {\n}", model="a) {\n  b();\n}", shows="a) {\n  b();", language="c")


def test_the_quotes_that_end_a_docstring_are_cut(check):
    drawing = 'def f():\n    """Do.\n\n    |\n    """\n'
    check(drawing, model='Returns:\n        One.\n    """', shows="Returns:\n        One.")


def test_another_indentation_closes_another_block(check):
    text = "while (b) {\n    c();\n  }"
    check("if (a) {\n  |\n}", model=text, shows=text, language="c")


def test_what_closes_a_bracket_of_the_middle_stays(check):
    text = "{\n  a: 1,\n},"
    check("[\n|\n},", model=text, shows=text, language="javascript")


def test_closers_after_the_cursor_keep_theirs(check):
    check("{|}\n}", model="\n  a\n}", shows="\n  a\n}", language="c")


def test_a_middle_without_closers_is_not_touched(check):
    check("if (a) {\n  |\n}", model="b();", shows="b();", language="c")
