import pytest

from lsp_server.completion.postprocess.drop_closers_below import drop_closers_below

FILTER = drop_closers_below


@pytest.mark.parametrize(
    ("drawing", "model", "shows"),
    [
        ("area = math.pow(|\n)", "radius, 2)", "radius, 2"),
        ("f(|\n);", "a, g(b));", "a, g(b)"),
        ("f([|\n])", "1, 2])", "1, 2"),
        ("f(g(|\n)", "1))", "1)"),
        ("x = [\n    |\n]", "1, 2]", "1, 2"),
        ("while (\n    |\n):", "a\n    and b):", "a\n    and b"),
    ],
)
def test_what_the_next_line_closes_is_left_open(check, drawing, model, shows):
    check(drawing, model=model, shows=shows)


@pytest.mark.parametrize(
    ("drawing", "model"),
    [
        ("f(|\n", "a)"),
        ("f(g(|\n)", "a)"),
        ("f(|\n)", "g(a)"),
        ("f(|\n)", "a, ')'"),
        ("f(|)\n)", "a"),
        ("f(|\n]", "a)"),
        ("x = {\n    f(|\n}", "a)"),
        ("f(|\n) or a", "a)"),
        ("f(a) + |\n)", "b)"),
    ],
)
def test_all_else_stays(check, drawing, model):
    check(drawing, model=model, shows=model)
