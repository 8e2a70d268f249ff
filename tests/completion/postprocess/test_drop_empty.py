import pytest

from lsp_server.completion.postprocess.drop_empty import drop_empty

FILTER = drop_empty


@pytest.mark.parametrize("model", ["", " ", "\n\n\t", "(", "=", " . "])
def test_nothing_to_see_is_dropped(check, model):
    check("x|", model=model)


@pytest.mark.parametrize("model", ["0", "x", ")", ":", ";", "()", " = 1", "é", "_"])
def test_little_that_completes_something_is_shown(check, model):
    check("x|", model=model, shows=model)


@pytest.mark.parametrize("drawing", ["if (x) |\n    y();\n}", "try |\n\n\tx\n}", "    f|\n        a,\n    )"])
@pytest.mark.parametrize("model", ["{", "(", "["])
def test_a_bracket_completes_the_head_of_what_stands_below(check, drawing, model):
    check(drawing, model=model, shows=model)


@pytest.mark.parametrize("drawing", ["if (x) |\ny();\n}", "    x = |\n    y", "  x |\n"])
def test_a_bracket_before_nothing_deeper_completes_nothing(check, drawing):
    check(drawing, model="{")
