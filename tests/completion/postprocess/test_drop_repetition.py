import pytest

from lsp_server.completion.postprocess.drop_repetition import drop_repetition

FILTER = drop_repetition


@pytest.mark.parametrize(
    "model",
    [
        "x" + " + x" * 8,
        "the same thing, " * 5,
        "a rather long piece of text that goes on, " * 3,
        "\n".join(["value = compute(value)"] * 5),
        "\n".join(["value = compute( value )", "value = compute(value)"] * 3),
        "a = f(b)\nb = f(a)\n" * 3,
    ],
)
def test_a_loop_is_dropped(check, model):
    check("|", model=model)


@pytest.mark.parametrize(
    "model",
    [
        "# ----------------------------------------",
        "row = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]",
        "\n".join(f"value_{n} = compute({n})" for n in range(8)),
        "\n".join(f"    {name}: int" for name in ("width", "height", "depth", "weight", "age")),
        "a = 1\nb = 2\na = 1\nb = 2",
        "case 1:\n  return 1;\ncase 2:\n  return 2;\ncase 3:\n  return 3;",
        "",
    ],
)
def test_order_is_not_a_loop(check, model):
    check("|", model=model, shows=model)


def test_a_long_line_without_a_loop_takes_no_long_search(check):
    line = "".join(chr(97 + n * n % 26) for n in range(5000))
    check("|", model=line + "!", shows=line + "!")


def test_tabbys_removal_of_blocks_loses_their_line_ends(check):
    text = "def f():\n    a\n\n\ndef g():\n    a\n\n\nf()"
    check("|", model=text, shows=text)
