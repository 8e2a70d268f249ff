"""Stretches of 50 characters or more that another file holds too."""

import pytest

from lsp_server.completion.repeats import LEAST_CHARACTERS, Repeat, by_length, longest_repeat

LINE = "total = sum(price * count for price, count in basket)"  # 53 characters


def test_a_stretch_that_another_file_holds_is_found_with_its_line():
    source = f"import math\n\n\ndef pay(basket):\n    {LINE}\n    return total\n"
    assert longest_repeat([f"x = 1\n    {LINE}\n    print(x)"], "pay.py", source) == Repeat(
        "pay.py", 5, len(f"    {LINE}\n    ") - 4
    )


@pytest.mark.parametrize("length", range(LEAST_CHARACTERS - 3, LEAST_CHARACTERS + 4))
@pytest.mark.parametrize("shift", [0, 1, 13, 24, 25, 26, 49])
def test_fifty_characters_are_enough_wherever_they_stand(length, shift):
    stretch = "".join(chr(ord("a") + at % 26) + str(at) for at in range(30))[:length]
    text, source = "." * shift + stretch + "!", ";" * 7 + stretch + "?"
    assert (longest_repeat([text], "a", source) is not None) is (length >= LEAST_CHARACTERS)


@pytest.mark.parametrize(
    "line",
    [f"# {'-' * 70}", " " * 80, "\n" * 80, "}\n" * 40, "=" * 100],
    ids=["ruler", "blanks", "line ends", "brackets", "underline"],
)
def test_lines_that_hold_no_word_are_no_repetition(line):
    assert longest_repeat([line], "a", f"x\n{line}\ny") is None


def test_lines_that_hold_no_word_do_not_help_a_short_stretch():
    text = f"value = 1\n{'-' * 60}\n"
    assert longest_repeat([text], "a", text) is None


def test_of_several_the_longest_counts():
    longer = LINE + "  # everything in it"
    repeat = longest_repeat([LINE, longer], "a", f"{LINE}\n\n{longer}\n")
    assert (repeat.line, repeat.characters) == (3, len(longer))


def test_other_white_space_is_another_text():
    assert longest_repeat([LINE], "a", LINE.replace(" = ", "  =  ").replace(" for ", "\tfor ")) is None


def test_the_longest_come_first_and_not_all_of_them():
    repeats = [None, *(Repeat("a", 1, size) for size in range(50, 70))]
    assert [repeat.characters for repeat in by_length(repeats)] == list(range(69, 59, -1))
