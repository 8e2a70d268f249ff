import pytest

from lsp_server.completion.document import Document
from lsp_server.evaluation.spots import bodies, code_lines, ends_statement


def document(text, language="python"):
    return Document("", language, text)


def code(text, language="python"):
    found = document(text, language)
    return [found.lines[at] for at in code_lines(found)]


def test_a_licence_a_docstring_and_a_comment_are_no_code():
    text = (
        "#!/usr/bin/env python\n"
        "# Copyright: everybody.\n"
        '"""What it is for.\n'
        "\n"
        "import this is prose\n"
        '"""\n'
        "import os\n"
        "def f():\n"
        '    """One line."""\n'
        "    return os.sep  # told apart\n"
        "    # gone\n"
        "    return 1\n"
    )
    assert code(text) == ["import os", "def f():", "    return 1"]


def test_a_block_comment_is_no_code_and_a_pointer_is():
    text = "/*\n * Copyright\n */\n#include <a.h>\n/* one line */\n*p = 3;\n// gone\nint x;\n"
    assert code(text, "c") == ["#include <a.h>", "*p = 3;", "int x;"]


def test_the_lines_of_a_long_string_are_no_code():
    assert code("text = '''\nSELECT 1\n'''\nrun(text)\n") == ["text = '''", "run(text)"]


def test_what_only_closes_and_what_is_data_is_no_code():
    assert code("f(\n    a,\n)\nx = '" + "0" * 200 + "'\n") == ["f(", "    a,"]


def body(text, language="python"):
    found = document(text, language)
    return [
        "\n".join(found.lines[lines.start : lines.stop]) for lines in bodies(found, code_lines(found), 2, 3)
    ]


def test_a_body_goes_to_where_the_indentation_is_back():
    assert body("def f():\n    a = 1\n\n    return a\n\n\nf()\n") == ["    a = 1\n\n    return a"]


def test_a_body_in_braces_goes_to_its_closing_line():
    assert body("if (a) {\n  b();\n  c();\n} else {\n  d();\n}\n", "javascript") == ["  b();\n  c();"]


def test_a_body_at_the_end_of_the_file_is_one():
    assert body("def f():\n    a = 1\n    return a\n") == ["    a = 1\n    return a"]


@pytest.mark.parametrize("lines", [1, 4, 40])
def test_a_body_of_too_few_or_too_many_lines_is_none(lines):
    assert body("def f():\n" + "    a()\n" * lines + "\nf()\n") == []


def test_a_long_body_with_a_blank_line_near_its_beginning_is_none():
    assert body("def f():\n    a()\n    b()\n\n\n    c()\n    d()\n") == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("a = 1<\nb = 2\n", "python"),
        ("def f():\n    return a<\n\n\nf()\n", "python"),
        ("call(\n    a,\n)\nb = 2<\n", "python"),
        ("a = b;<\nc();\n", "java"),
        ("x := 1<\ny := 2\n", "go"),
    ],
)
def test_a_statement_ends_here(text, language):
    found = document(text.replace("<", ""), language)
    assert ends_statement(found, text[: text.index("<")].count("\n"))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("def f():<\n    pass\n", "python"),
        ("call(a<\n)\n", "python"),
        ("call(\n    'a'<\n    'b'\n)\n", "python"),
        ("call(\n    a,\n    b<\n)\n", "python"),
        ("a = (b<\n     and c)\n", "python"),
        ("a = b + \\<\n    c\n", "python"),
        ("a = [<\n    1]\n", "python"),
        ("a = b<\n  .c();\n", "java"),
        ("a = b<\n", "java"),
        ("const a = b<\nc()\n", "typescript"),
    ],
)
def test_no_statement_ends_here(text, language):
    found = document(text.replace("<", ""), language)
    assert not ends_statement(found, text[: text.index("<")].count("\n"))
