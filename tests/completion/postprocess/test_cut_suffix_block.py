from lsp_server.completion.postprocess.cut_suffix_block import cut_suffix_block

FILTER = cut_suffix_block


def test_it_cuts_where_the_next_function_begins_again(check):
    check(
        "def a():\n    |\n\n\ndef b():\n    return 2",
        model="return 1\n\n\ndef b():\n    return 2",
        shows="return 1",
    )


def test_the_last_line_may_be_the_beginning_of_the_next(check):
    check("def a():\n    |\n\ndef b():", model="return 1\n\ndef b", shows="return 1")


def test_a_line_in_the_middle_must_be_the_whole_next_line(check):
    text = "if a:\n    b\nreturn a"
    check("|\nif a and c:", model=text, shows=text)


def test_a_line_nearly_the_next_is_cut(check):
    check("|\nreturn left + right", model="left = 1\nreturn left+ right", shows="left = 1")


def test_tabbys_removal_misses_indented_duplicates(check):
    check("def f():\n    |\n    return a", model="a = 1\n    return a", shows="a = 1")


def test_a_deeper_line_of_the_same_words_stays(check):
    text = "if b:\n        return a"
    check("def f():\n    |\n    return a", model=text, shows=text)


def test_closing_lines_are_not_its_business(check):
    check("if (a) {\n  |\n}", model="b();\n}", shows="b();\n}", language="c")


def test_the_first_line_is_not_cut(check):
    check("|\nreturn a", model="return a", shows="return a")


def test_closing_lines_are_cut_with_what_the_file_has_behind_them(check):
    check(
        "while (\n    |\n):\n    go()",
        model="a\n    and b\n):\n    go()",
        shows="a\n    and b",
    )
    check(
        "f(a, [\n    |\n])\n\ng()",
        model="1,\n])\n\ng()",
        shows="1,",
    )


def test_closing_lines_with_something_else_behind_them_stay(check):
    text = "a\n):\n    stop()"
    check("while (\n    |\n):\n    go()", model=text, shows=text)
