from lsp_server.completion.postprocess.align_indentation import align_indentation

FILTER = align_indentation


def test_indentation_that_is_already_typed_goes(check):
    check("def f():\n    |", model="    return 1", shows="return 1")


def test_a_stray_blank_before_a_word_goes(check):
    check("def f():\n    |", model=" return 1", shows="return 1")


def test_half_typed_indentation_is_completed(check):
    check("def f():\n  |", model="  return 1", shows="  return 1")


def test_half_typed_indentation_is_completed_from_the_margin(check):
    check("def f():\n  |", model="    return 1", shows="  return 1")


def test_the_unit_of_the_file_is_used(check):
    above = "def g():\n  return 0\n\n\ndef f():\n"
    check(above + "  |", model="  return 1", shows="return 1")


def test_tabs_count(check):
    check("func f() {\n\t|", model="\treturn 1", shows="return 1", language="go")


def test_indentation_at_the_margin_stays(check):
    check("def f():\n|", model="    return 1", shows="    return 1")


def test_a_space_after_a_word_is_not_indentation(check):
    check("return|", model=" 1", shows=" 1")


def test_only_the_first_line_is_aligned(check):
    check("def f():\n    |", model="    a = 1\n    b = 2", shows="a = 1\n    b = 2")


def test_tabbys_normalize_indentation_breaks_odd_spaces(check):
    check("/**\n |", model="* Area.\n * Odd.\n */", shows="* Area.\n * Odd.\n */", language="java")
    check("f(a,\n  |", model="b,\n  c)", shows="b,\n  c)")
