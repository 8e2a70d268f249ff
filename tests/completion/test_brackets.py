import pytest

from lsp_server.completion.brackets import Balance, balance, comment_start, is_open


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("f(a[0], {})", "python", 0),
        ("f(a", "python", 1),
        ("a)]", "python", 2),
        ("(]", "python", 2),
        ('f(")")', "python", 0),
        ('f(")', "python", 1),
        ('"""(\n("""', "python", 0),
        (r'"\"("', "python", 0),
        ("a # (", "python", 0),
        ("a // (", "python", 1),
        ("a // (", "go", 0),
        ("a /* ( \n [ */ b", "c", 0),
        ("a -- (", "lua", 0),
        (r"s.replace(/\//g, '')", "javascript", 0),
        ("`(\n(`", "typescript", 0),
        ("fn f<'a>(x: &'a str) -> char { ')' }", "rust", 0),
        ("don't (stop)", "json", 1),
        ("😀(😀)", "python", 0),
    ],
)
def test_what_has_no_counterpart_is_counted(text, language, expected):
    assert sum(balance(text, language)) == expected


def test_what_is_not_opened_is_told_from_what_is_not_closed():
    assert balance("a)) + (b", "c") == Balance(unopened=2, unclosed=1)
    assert Balance(2, 1).distance(Balance(0, 2)) == 3


@pytest.mark.parametrize(
    ("text", "language", "start"),
    [
        ("a  # b", "python", 3),
        ('a  # b"', "python", 3),
        ("'# b'", "python", 5),
        ("# a\nb", "python", 5),
        ("a // b", "c", 2),
        ("a /* b */", "c", 9),
        ("", "c", 0),
    ],
)
def test_the_comment_at_the_end_is_found(text, language, start):
    assert comment_start(text, language) == start


@pytest.mark.parametrize("text", ["f(a[0]", 'f"{x}', "(')'"])
def test_a_text_that_ends_inside_brackets_or_quotes_is_open(text):
    assert is_open(text, "python")


@pytest.mark.parametrize("text", ["", "f(a[0])", ")]", "'('", "# ("])
def test_a_text_that_closes_all_it_opens_is_not_open(text):
    assert not is_open(text, "python")
