import pytest

from lsp_server.completion.postprocess.cut_at_stammer import cut_at_stammer

FILTER = cut_at_stammer


def test_it_cuts_before_a_name_that_says_a_word_twice(check):
    model = "level: str,\n    level_name: str,\n    level_name_name: str,\n    level_name_name_name: str,"
    check("def log(\n    |\n):", model=model, shows="level: str,\n    level_name: str,")
    check("|", model="a = 1\nb = WIDTH_PADDING_PADDING", shows="a = 1")
    check("|", model="a = 1\nb = log_value_string_value_string", shows="a = 1")
    check("|", model="a = 1\nb = ErrorStringStringList", shows="a = 1")


def test_a_first_line_that_stammers_leaves_nothing(check):
    check("|", model="test_ensure_ensure_ensure()\nb()")


def test_a_name_that_the_file_has_stays(check):
    check("import attrs_attrs\n|", model="attrs_attrs()", shows="attrs_attrs()")


@pytest.mark.parametrize(
    "line",
    ["time.time()", "a_a_a = 1_000_000", "copy copy", "names_name", "top_top2", "ChaCha", "a_b_a_b"],
)
def test_other_names_stay(check, line):
    check("|", model=line, shows=line)
