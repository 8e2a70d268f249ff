"""A prompt that is sent as text ends before a sentinel that the user's code spells out."""

import pytest

from lsp_server.completion.fim import FORMATS, FimPrompt, Snippet, render
from lsp_server.completion.spelled import without_spelled

FORM = FORMATS["starcoder2"]


def shown(text, form=FORM, **more):
    """What is left of a text with a cursor in it, drawn."""
    before, after = text.split("|", 1)
    prompt = without_spelled(FimPrompt(before, after, **more), form)
    return f"{prompt.prefix}|{prompt.suffix}"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a = b|\nc\n", "a = b|\nc\n"),
        ("a = '<fim_suffix>'\nb = |\nc\n", "'\nb = |\nc\n"),
        ("a = |\nb = '<fim_middle>'\n", "a = |\nb = '"),
        ("'<fim_prefix>' '<file_sep>' |'<fim_pad> <fim_suffix>", "' |'<fim_pad> "),
        ("x <fim_prefix|> y", "x <fim_prefix|> y"),
        ("<repo_name>|", "|"),
    ],
)
def test_what_is_shown_is_the_part_around_the_cursor_that_spells_none(text, left):
    assert shown(text) == left


def test_sentinels_with_a_blank_before_them_are_found_without_it():
    assert shown("x = '<PRE>' + |y <MID>", FORMATS["code-llama"]) == "' + |y "


def test_files_that_spell_one_are_left_out():
    snippets = (Snippet("a.py", "x\n"), Snippet("b.py", "<file_sep>"), Snippet("<file_sep>.py", "y\n"))
    prompt = without_spelled(FimPrompt("p", "s", "<file_sep>", snippets), FORM)
    assert (prompt.path, prompt.snippets) == ("", snippets[:1])


@pytest.mark.parametrize(
    ("prefix", "typed", "left"),
    [
        ("'<fim_prefix>'\n", "x = ", ("'\n", "x = ")),
        ("a\n", "b <fim_suffix> c", ("", " c")),
        ("a <fim_", "suffix> c", ("", " c")),
    ],
)
def test_what_was_typed_is_looked_through_as_well(prefix, typed, left):
    prompt = without_spelled(FimPrompt(prefix, "s", typed=typed), FORM)
    assert (prompt.prefix, prompt.typed) == left


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_each_sentinel_of_a_prompt_is_its_own(form):
    spelled = "".join(piece.lstrip("▁") for piece in (*form.pieces, *form.stop_texts))
    prompt = without_spelled(FimPrompt(spelled + "a = ", "\nb = 1\n" + spelled), form)
    text = render(prompt, form, None, heal=False).text
    for piece in form.pieces:
        assert text.count(piece.lstrip("▁")) == form.layout.count(piece)
