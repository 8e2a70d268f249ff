from dataclasses import replace

import pytest

from lsp_server.completion.fim import FORMATS, FimPrompt, Snippet, render, split_healed
from lsp_server.errors import ModelError


class Letters:
    """A vocabulary of characters, and of the sentinels given."""

    def __init__(self, *special):
        self.special = {piece: 1000 + at for at, piece in enumerate(special)}
        self.bos = ""

    encode_inside = property(lambda self: self.encode)

    def encode(self, text):
        return [ord(character) for character in text]

    def special_id(self, piece):
        return self.special.get(piece)


STARCODER = Letters("<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<|endoftext|>", "<file_sep>")


@pytest.mark.parametrize(
    ("prefix", "kept", "healed"),
    [
        ("x = ret", "x =", " ret"),
        ("self.it", "self.", "it"),
        ("def f():\n    ", "def f():", "\n    "),
        ("def f():\n    ret", "def f():\n   ", " ret"),
        ("def f():\n\tret", "def f():\n", "\tret"),
        ("foo(", "foo(", ""),
        ("x = ", "x =", " "),
        ("a\n\n", "a", "\n\n"),
        ("", "", ""),
        ("naïve_名", "", "naïve_名"),
    ],
)
def test_the_unfinished_word_or_the_white_space_is_taken_off(prefix, kept, healed):
    assert split_healed(prefix) == (kept, healed)


def test_nothing_but_words_is_healed_in_bounded_time():
    kept, healed = split_healed("x" * 100_000)
    assert kept + healed == "x" * 100_000


def test_sentinels_are_ids_and_halves_are_text():
    prompt = render(FimPrompt("a", "b"), FORMATS["starcoder"], STARCODER, heal=True)
    assert prompt.pieces == ("<fim_prefix>", "a", "<fim_suffix>", "b", "<fim_middle>")
    assert prompt.ids == (1000, ord("a"), 1001, ord("b"), 1002)
    assert prompt.stop_ids == {1003, 1004}
    assert prompt.healed == "", "the cursor is not at the end of a prefix-first prompt"


def test_suffix_first_goes_on_from_the_prefix_and_is_healed():
    prompt = render(FimPrompt("x = ret", "b"), FORMATS["starcoder-spm"], STARCODER, heal=True)
    assert prompt.text == "<fim_prefix><fim_suffix>b<fim_middle>x ="
    assert prompt.healed == " ret"


SMOLLM2 = Letters("<issue_start>", "<issue_comment>", "<file_sep>", "<|endoftext|>")


def test_a_model_that_knows_paths_sees_other_files_and_then_the_name_of_this_one():
    prompt = FimPrompt("x", "y", "a.py", (Snippet("b.py", "z = 1\n"),))
    rendered = render(prompt, FORMATS["smollm2-spm"], SMOLLM2, heal=False)
    assert rendered.text == "<file_sep>b.py\nz = 1\n<file_sep>a.py\n<issue_start>y<issue_comment>x"
    assert rendered.ids[0] == SMOLLM2.special["<file_sep>"]
    assert render(prompt, FORMATS["starcoder-spm"], STARCODER, heal=False).pieces[0] == "<fim_prefix>"


def test_a_sentinel_spelled_out_in_the_users_code_stays_text():
    prompt = render(FimPrompt("<fim_middle>", "x"), FORMATS["starcoder"], STARCODER, heal=False)
    assert prompt.ids.count(1002) == 1


def test_a_backend_that_cannot_heal_gets_the_whole_prefix():
    prompt = render(FimPrompt("x = ret", ""), FORMATS["causal"], STARCODER, heal=False)
    assert (prompt.text, prompt.healed) == ("x = ret", "")


def test_a_model_whose_vocabulary_has_no_pieces_for_files_is_shown_none():
    prompt = FimPrompt("x", "y", "a.py", (Snippet("b.py", "z = 1\n"),))
    rendered = render(prompt, FORMATS["smollm2-spm"], Letters("<issue_start>", "<issue_comment>"), heal=False)
    assert rendered.text == "<issue_start>y<issue_comment>x"


def test_plain_continuation_begins_as_the_vocabulary_says():
    vocabulary = Letters("<s>")
    vocabulary.bos = "<s>"
    assert render(FimPrompt("a", ""), FORMATS["causal"], vocabulary, heal=False).ids == (1000, ord("a"))
    assert render(FimPrompt("", ""), FORMATS["causal"], vocabulary, heal=False).ids == (1000,)


def test_at_the_end_of_a_file_the_prefix_is_continued_and_the_cursor_is_healed():
    prompt = render(FimPrompt("x = ret", "\n"), FORMATS["starcoder"], STARCODER, heal=True)
    assert (prompt.text, prompt.healed, prompt.order) == ("x =", " ret", "causal")
    assert prompt.stop_ids == {1003, 1004}


def test_a_model_with_a_tokenizer_stops_at_ids_and_not_at_their_spelling():
    prompt = FimPrompt("a", "b")
    assert render(prompt, FORMATS["starcoder"], STARCODER, heal=False).stop_strings == ()
    assert "<|endoftext|>" in render(prompt, FORMATS["starcoder"], None, heal=False).stop_strings


def test_an_empty_prompt_begins_a_document():
    prompt = render(FimPrompt("", ""), FORMATS["causal"], STARCODER, heal=True)
    assert prompt.ids == (1003,)


def test_an_empty_prompt_begins_a_document_and_not_the_end_of_a_middle():
    codegen2 = Letters("<mask_1>", "<sep>", "<eom>", "<|endoftext|>")
    assert render(FimPrompt("", ""), FORMATS["codegen2"], codegen2, heal=True).ids == (1003,)


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_a_format_that_may_give_an_empty_prompt_names_what_ends_a_document_first(form):
    may_be_empty = (form.causal_at_end or not form.uses_suffix) and not form.bos
    assert not may_be_empty or form.stops[0] in ("<|endoftext|>", "<|end_of_text|>")


def test_a_vocabulary_without_the_sentinels_is_refused():
    with pytest.raises(ModelError, match=r"has no piece <fim_prefix>, which the format starcoder needs\.$"):
        render(FimPrompt("a", "b"), FORMATS["starcoder"], Letters(), heal=False)


@pytest.mark.parametrize(
    ("name", "order"), [("causal", "causal"), ("starcoder", "psm"), ("starcoder-spm", "spm")]
)
def test_the_order_follows_from_the_layout(name, order):
    assert FORMATS[name].order == order


# -- what was typed since the halves were shown

TYPED = FimPrompt("a\n", "b", typed="x = ret")


def test_what_was_typed_stands_behind_the_sentinel_of_the_middle_and_is_healed_there():
    prompt = render(TYPED, FORMATS["starcoder"], STARCODER, heal=True)
    assert prompt.pieces == ("<fim_prefix>", "a\n", "<fim_suffix>", "b", "<fim_middle>", "x =")
    assert prompt.healed == " ret"
    assert prompt.ids[-4:] == (1002, *map(ord, "x ="))


def test_healing_does_not_reach_across_the_sentinel():
    prompt = render(replace(TYPED, typed="ret"), FORMATS["starcoder"], STARCODER, heal=True)
    assert (prompt.pieces[-1], prompt.healed) == ("<fim_middle>", "ret")


@pytest.mark.parametrize("name", ["starcoder-spm", "causal", "codegen2"])
def test_other_formats_show_what_was_typed_as_the_end_of_the_prefix(name):
    letters, plain = Letters(*FORMATS[name].pieces), FimPrompt("a\nx = ret", "b")
    typed, joined = (render(prompt, FORMATS[name], letters, heal=True) for prompt in (TYPED, plain))
    assert typed == joined


def test_at_the_end_of_a_file_what_was_typed_is_continued():
    prompt = render(replace(TYPED, suffix="\n"), FORMATS["starcoder"], STARCODER, heal=True)
    assert (prompt.text, prompt.healed) == ("a\nx =", " ret")


@pytest.mark.parametrize(
    ("typed", "pieces"),
    [
        ("x = foo(", ("a\n", "<fim_suffix>", "b", "<fim_middle>", "x = foo(")),
        ("x = ret", ("a\nx = ret", "<fim_suffix>", "b", "<fim_middle>")),
        ("x\n    ", ("a\nx\n    ", "<fim_suffix>", "b", "<fim_middle>")),
    ],
)
def test_without_healing_no_middle_begins_with_half_a_word(typed, pieces):
    prompt = render(replace(TYPED, typed=typed), FORMATS["starcoder"], STARCODER, heal=False)
    assert prompt.pieces[1:] == pieces
    assert prompt.healed == ""


def test_what_was_typed_goes_on_from_the_sentinel_without_a_blank():
    class Blanks(Letters):
        encode_inside = Letters.encode

        def encode(self, text):
            return super().encode(f" {text}")

    form = FORMATS["code-llama"]
    prompt = render(replace(TYPED, typed="x("), form, Blanks(*form.required), heal=True)
    assert prompt.text == "<PRE> a\n <SUF>b <MID>x("
    assert prompt.ids[-2:] == tuple(map(ord, "x("))
    assert prompt.ids[2] == ord(" ")
