from __future__ import annotations

import pytest

from lsp_server.completion.unfinished import is_left_open


@pytest.mark.parametrize(
    ("drawing", "language"),
    [
        ('+ "|\n)\nx = 1', "python"),
        ("def f(a, b|\n    return a\n", "python"),
        ("def parent(self) -> Optional[Item[V|\n    return self", "python"),
        ("if (expired()|\n    throw new Error('a');\n}", "java"),
        ("if (error->text[0] != '\\0'|\n    return;\n}", "c"),
        ("f('a', [1|", "javascript"),
        ("print(f'{a|\nb = 1\n", "python"),
    ],
)
def test_a_bracket_or_quote_that_nothing_closes_is_left_open(at, drawing: str, language: str) -> None:
    assert is_left_open(at(drawing, language))


@pytest.mark.parametrize(
    ("drawing", "language"),
    [
        ("f(|\n    a,\n    (b),\n)\n", "python"),
        ("f('a', function () {|\n  g();\n});", "javascript"),
        ("x = [|\n" + "    1,\n" * 2000 + "]\n", "python"),
        ("f(|)", "python"),
        ("if (a) {|\n\nint b;", "c"),
        ("a = b|\n", "python"),
        ("# don't|\na = 1\n", "python"),
        ("/* don't|\n */", "c"),
        ('    """Don\'t|\n    """', "python"),
        ('x = """\nIt\'s|\n"""\n', "python"),
        ("It's|\n", "markdown"),
        ("awk '|\n{ print }\n'\n", "shellscript"),
        ("x = `|\n`;", "javascript"),
        ("impl<'a|\n", "rust"),
    ],
)
def test_else_what_is_missing_is_not_known(at, drawing: str, language: str) -> None:
    assert not is_left_open(at(drawing, language))
