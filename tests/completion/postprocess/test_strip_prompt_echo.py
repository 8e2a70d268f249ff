from lsp_server.completion.postprocess.strip_prompt_echo import strip_prompt_echo

FILTER = strip_prompt_echo


def test_the_cursor_line_is_not_said_again(check):
    check("def area(r):|", model="def area(r):\n    return r * r", shows="\n    return r * r")
    check("    total = |", model="total = a + b", shows="a + b")


def test_a_fence_around_the_code_is_taken_off(check):
    check("|", model="```python\nx = 1\ny = 2\n```\nThis sets x.", shows="x = 1\ny = 2\n")


def test_what_follows_a_closing_fence_goes(check):
    check("def f():\n    |", model="return 1\n```\n\n# Example usage", shows="return 1\n")


def test_thoughts_are_taken_off(check):
    check("x = |", model="<think>Which number?</think>\n\n1", shows="1")
    check("x = |", model="<think>Which number? Perhaps", shows="")


def test_fences_stay_in_markdown(check):
    check("Run it:\n|", model="```sh\nmake\n```\n", shows="```sh\nmake\n```\n", language="markdown")


def test_fences_stay_where_the_file_has_some(check):
    check('"""\n```\nold\n```\n|', model="```\nnew\n```\n", shows="```\nnew\n```\n")


def test_a_fence_inside_an_indented_docstring_stays(check):
    check("|", model='"""\n    ```\n    x\n    ```\n"""', shows='"""\n    ```\n    x\n    ```\n"""')


def test_a_word_that_only_begins_like_the_line_stays(check):
    check("name|", model="names.append(1)", shows="names.append(1)")


def test_short_and_wordless_lines_are_repeated_on_purpose(check):
    check("f(|", model="f(x))", shows="f(x))")
    check("-----|", model="-----", shows="-----")


def test_a_statement_repeated_on_the_next_line_stays(check):
    check("print(1)|", model="\nprint(1)", shows="\nprint(1)")
