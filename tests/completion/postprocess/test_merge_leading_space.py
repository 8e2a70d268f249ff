from lsp_server.completion.postprocess.merge_leading_space import merge_leading_space

FILTER = merge_leading_space


def test_a_blank_after_a_blank_goes(check):
    check("x = |", model=" 1", shows="1")
    check("x =\t|", model=" \t1", shows="1")


def test_a_blank_after_a_word_stays(check):
    check("return|", model=" x", shows=" x")


def test_indentation_on_a_blank_line_stays(check):
    check("class A:\n  |", model="  def f(self):", shows="  def f(self):")


def test_tabbys_trim_space_eats_newlines(check):
    check("x = |", model="  \n    1", shows="\n    1")
    check("x = |", model="\n    1", shows="\n    1")
