import pytest

from lsp_server.completion.postprocess.cut_at_scope_end import cut_at_scope_end

FILTER = cut_at_scope_end


def test_a_body_ends_where_the_indentation_falls(check):
    check("def f():\n    |", model="return 1\n\nprint(f())", shows="return 1")
    check("def f():|", model="\n    return 1\n\n\ndef g():\n    pass", shows="\n    return 1")


def test_example_usage_after_a_function_goes(check):
    check(
        "def area(r):\n    |", model="return r * r\n\n# Example usage\nprint(area(2))", shows="return r * r"
    )


def test_a_statement_ends_with_its_line(check):
    check("    x = |", model="1\n    y = 2", shows="1")


def test_siblings_go_on_until_their_block_ends(check):
    check(
        "def f():\n    a = 1\n    |",
        model="b = 2\n    for c in a:\n        d()\n\n    return b\nprint()",
        shows="b = 2\n    for c in a:\n        d()\n\n    return b",
    )


def test_siblings_may_begin_on_the_next_line(check):
    check("def f():\n    a = 1|", model="\n    b = 2\n    c = 3\nd", shows="\n    b = 2\n    c = 3")


@pytest.mark.parametrize("word", ["else:", "elif b:"])
def test_a_branch_goes_on_with_the_block(check, word):
    text = f"\n    x()\n{word}\n    y()"
    check("if a:|", model=text + "\nz()", shows=text)


def test_a_branch_of_an_outer_block_does_not(check):
    check("if a:\n    x()\n    |", model="y()\nelse:\n    z()", shows="y()")


def test_nor_does_one_where_the_file_has_the_next_branch_itself(check):
    check("if a:\n    |\nelse:\n    z()", model="y()\nelif b:\n    x()", shows="y()")
    check(
        "switch (a) {\n  case 1:\n    |\n  case 3:\n    c();\n}",
        model="a();\n  case 2:\n    b();",
        shows="a();",
        language="c",
    )


def test_the_closing_line_of_an_open_block_is_kept(check):
    check("if (a) {|", model="\n  b();\n}\nc();", shows="\n  b();\n}", language="c")
    check("x = [|\n", model="\n    1,\n]\ny = 2", shows="\n    1,\n]")


def test_a_closing_line_that_the_file_has_is_not(check):
    check("if (a) {|\n}", model="\n  b();\n}\nc();", shows="\n  b();", language="c")


def test_a_closing_line_is_not_kept_while_the_block_goes_on_below(check):
    check("if (a) {|\n  c();\n}", model="\n  b();\n}", shows="\n  b();", language="c")


def test_a_branch_after_a_closer_goes_on(check):
    text = "\n  b();\n} else {\n  c();\n}"
    check("if (a) {|", model=text + "\nd();", shows=text, language="c")


def test_a_signature_over_lines_keeps_its_body(check):
    text = "\n    a,\n) -> int:\n    return a"
    check("def f(|", model=text + "\nf(1)", shows=text)


def test_a_chain_after_the_closer_is_kept(check):
    check("x = f(|", model="\n    a,\n).strip()\ny = 2", shows="\n    a,\n).strip()")


def test_a_second_function_is_one_too_many(check):
    check("x = 1\n|", model="def f():\n    a\n\ndef g():\n    b", shows="def f():\n    a")
    check(
        "class A:\n    |",
        model="def f(self):\n        a\n\n    def g(self):\n        b",
        shows="def f(self):\n        a",
    )


def test_what_uses_a_definition_belongs_to_it(check):
    text = "def inner():\n        a\n\n    return inner"
    check("def outer():\n    |", model=text, shows=text)


def test_lines_of_a_string_say_nothing_of_blocks(check):
    text = 'sql = """\nselect *\nfrom t\n"""\n    return sql'
    check("def f():\n    |", model=text, shows=text)
    check('def f():\n    """|', model='One.\n\n    Two.\n    """', shows='One.\n\n    Two.\n    """')
    check('def f():\n    """One.\n    |\n    """', model="Two.\n  *\nThree", shows="Two.\n  *\nThree")


def test_a_stray_quote_above_makes_no_string_of_the_rest(check):
    check("QUOTES = \"'''\"\n\n\ndef f():\n    |", model="return 1\n\nprint(2)", shows="return 1")
    check("tick = /`/;\nif (a) {|\n}", model="\n  b();\n}", shows="\n  b();", language="javascript")


def test_the_preprocessor_may_stand_at_the_margin(check):
    text = "\n#ifdef A\n  a();\n#endif\n}"
    check("void f() {|", model=text + "\nint x;", shows=text, language="c")


def test_braces_on_their_own_line_open_the_body(check):
    text = "\n{\n  return 1;\n}"
    check("int f()|", model=text + "\n\nint g()\n{", shows=text, language="c")


def test_lists_may_stand_under_their_key(check):
    check("steps:|", model="\n- a\n- b\nother: 1", shows="\n- a\n- b", language="yaml")


def test_tabs_indent(check):
    text = "\n\tif a {\n\t\tb()\n\t}\n}"
    check("func f() {|", model=text + "\n\nfunc g() {", shows=text, language="go")


def test_what_stays_in_its_block_is_not_touched(check):
    text = "for a in b:\n        c(a)\n\n    return a\n"
    check("def f(b):\n    |", model=text, shows=text)
    check("import a\n|", model="import b\nimport c\n\nx = 1", shows="import b\nimport c\n\nx = 1")
