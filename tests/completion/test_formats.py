"""How each family is asked, piece by piece, as its authors publish it; ids are in test_prompt_ids.py."""

from __future__ import annotations

import pytest

from lsp_server.completion.families import PIECES
from lsp_server.completion.fim import FORMATS, FimPrompt, Snippet, render
from lsp_server.completion.formats import is_special

BAR = "\uff5c"
BEGIN, HOLE, END = (f"<{BAR}fim▁{name}{BAR}>" for name in ("begin", "hole", "end"))

FILE_LEVEL = {
    "starcoder": "<fim_prefix>|P|<fim_suffix>|S|<fim_middle>",
    "starcoder-spm": "<fim_prefix>|<fim_suffix>|S|<fim_middle>|P",
    "santacoder": "<fim-prefix>|P|<fim-suffix>|S|<fim-middle>",
    "starcoder2": "<fim_prefix>|P|<fim_suffix>|S|<fim_middle>",
    "granite": "<fim_prefix>|P|<fim_suffix>|S|<fim_middle>",
    "stable-code": "<fim_prefix>|P|<fim_suffix>|S|<fim_middle>",
    "codeqwen": "<fim_prefix>|P|<fim_suffix>|S|<fim_middle>",
    "refact": "<fim_suffix>|S|<fim_prefix>|P|<fim_middle>",
    "mellum": "<fim_suffix>|S|<fim_prefix>|P|<fim_middle>",
    "codegen2": "P|<mask_1>|S|<|endoftext|>|<sep>|<mask_1>",
    "incoder": "<|endoftext|>|P|<|mask:0|>|S|<|mask:1|>|<|mask:0|>",
    "code-llama": "<s>|▁<PRE>|P|▁<SUF>|S|▁<MID>",
    "code-llama-spm": "<s>|▁<PRE>|▁<SUF>|S|▁<MID>|P",
    "codestral": "<s>|[SUFFIX]|S|[PREFIX]|P",
    "aixcoder": "<s>|▁<AIX-SPAN-PRE>|▁<AIX-SPAN-POST>|S|▁<AIX-SPAN-MIDDLE>|P",
    "codegemma": "<bos>|<|fim_prefix|>|P|<|fim_suffix|>|S|<|fim_middle|>",
    "deepseek-coder": f"<{BAR}begin▁of▁sentence{BAR}>|{BEGIN}|P|{HOLE}|S|{END}",
    "qwen2.5-coder": "<|fim_prefix|>|P|<|fim_suffix|>|S|<|fim_middle|>",
    "granite-3.3": "<|fim_prefix|>|P|<|fim_suffix|>|S|<|fim_middle|>",
    "seed-coder": "<[begin▁of▁sentence]>|<[fim-suffix]>|S|<[fim-prefix]>|P|<[fim-middle]>",
    "smollm2-spm": "<issue_start>|S|<issue_comment>|P",
    "causal": "P",
}
"""Prompts for one file, with bars between the pieces."""

TYPED = {
    "code-llama": "<PRE> P <SUF>S <MID>",
    "code-llama-spm": "<PRE> <SUF>S <MID> P",
    "aixcoder": "<AIX-SPAN-PRE> <AIX-SPAN-POST>S <AIX-SPAN-MIDDLE> P",
    "codestral": "[SUFFIX]S[PREFIX]P",
    "codegemma": "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>",
}
"""Prompts for engines that tokenise themselves and begin each text in their own way."""

REPOSITORY = {
    "starcoder": "<reponame>|demo|<filename>|src/main.py|<fim_prefix>|P|<fim_suffix>|S|<fim_middle>",
    "starcoder-spm": "<reponame>|demo|<filename>|src/main.py|<fim_prefix>|<fim_suffix>|S|<fim_middle>|P",
    "starcoder2": "<repo_name>|demo|<file_sep>|lib/one.py\none = 1\n|<file_sep>"
    "|<fim_prefix>|src/main.py\nP|<fim_suffix>|S|<fim_middle>",
    "codeqwen": "<repo_name>|demo\n|<file_sep>|lib/one.py\none = 1\n|<file_sep>|src/main.py\n"
    "|<fim_prefix>|P|<fim_suffix>|S|<fim_middle>",
    "mellum": "<filename>|lib/one.py\none = 1\n|<filename>|src/main.py\n"
    "|<fim_suffix>|S|<fim_prefix>|P|<fim_middle>",
    "incoder": "<|endoftext|>|<| file ext=.py |>\nP|<|mask:0|>|S|<|mask:1|>|<|mask:0|>",
    "codestral": "<s>|[SUFFIX]|S|[PREFIX]|+++++ lib/one.py\none = 1\n\n+++++ src/main.py\nP",
    "aixcoder": "<s>|▁<AIX-SPAN-PRE>|▁<AIX-SPAN-POST>|S|▁<AIX-SPAN-MIDDLE>"
    "|# the file path is: src/main.py\n# the code file is written by Python\nP",
    "codegemma": "<bos>|<|file_separator|>|lib/one.py\none = 1\n|<|file_separator|>|src/main.py\n"
    "|<|fim_prefix|>|P|<|fim_suffix|>|S|<|fim_middle|>",
    "deepseek-coder": f"<{BAR}begin▁of▁sentence{BAR}>|{BEGIN}"
    f"|#lib/one.py\none = 1\n\n#src/main.py\nP|{HOLE}|S|{END}",
    "qwen2.5-coder": "<|repo_name|>|demo\n|<|file_sep|>|lib/one.py\none = 1\n|<|file_sep|>|src/main.py\n"
    "|<|fim_prefix|>|P|<|fim_suffix|>|S|<|fim_middle|>",
    "smollm2-spm": "<file_sep>|lib/one.py\none = 1\n|<file_sep>|src/main.py\n"
    "|<issue_start>|S|<issue_comment>|P",
}
"""Prompts with the repository's name, another file and the document's path; other families saw none of it."""

IN_REPOSITORY = FimPrompt(
    "P", "S", "src/main.py", (Snippet("lib/one.py", "one = 1\n"),), repository="demo", language="python"
)
CONTINUE_AT_END = {
    "causal",
    "codegen2",
    "codeqwen",
    "deepseek-coder",
    "granite",
    "granite-3.3",
    "incoder",
    "qwen2.5-coder",
    "santacoder",
    "stable-code",
    "starcoder",
    "starcoder-spm",
    "starcoder2",
}


def drawn(prompt, name):
    """The pieces, with the bars inside the sentinels left alone."""
    return list(render(prompt, FORMATS[name], None, heal=False).pieces)


def pieces_of(drawing):
    """The pieces of a drawing: bars part them, but not those of a sentinel such as ``<|endoftext|>``."""
    hidden = drawing.replace("<| ", "<\0 ").replace(" |>", " \0>")
    for piece in sorted(PIECES, key=len, reverse=True):
        hidden = hidden.replace(piece, piece.replace("|", "\0"))
    return [piece.replace("\0", "|") for piece in hidden.split("|")]


def test_every_format_is_written_down_here():
    assert FILE_LEVEL.keys() == FORMATS.keys()


@pytest.mark.parametrize("name", FORMATS)
def test_the_prompt_for_one_file(name):
    assert drawn(FimPrompt("P", "S"), name) == pieces_of(FILE_LEVEL[name])


@pytest.mark.parametrize("name", FORMATS)
def test_the_prompt_with_another_file_of_the_repository(name):
    expected = REPOSITORY.get(name, FILE_LEVEL[name])
    assert drawn(IN_REPOSITORY, name) == pieces_of(expected)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("suffix", ["", "\n", "  \n\n"])
def test_at_the_end_of_a_file_some_families_just_continue(name, suffix):
    rendered = render(FimPrompt("x = ret", suffix), FORMATS[name], None, heal=True)
    assert (rendered.order == "causal") == (name in CONTINUE_AT_END)
    if name in CONTINUE_AT_END:
        assert rendered.pieces[-1] == "x ="
        assert rendered.healed == " ret"
    else:
        assert suffix in rendered.pieces


@pytest.mark.parametrize("name", FORMATS)
def test_without_its_half_a_sentinel_still_stands(name):
    form = FORMATS[name]
    pieces = drawn(FimPrompt("", "S"), name)
    assert [piece for piece in pieces if is_special(piece)][-len(form.sentinels) :] == list(form.sentinels)
    assert "" in pieces


@pytest.mark.parametrize("name", FORMATS)
def test_an_engine_that_tokenises_itself_is_not_given_the_beginning(name):
    text = render(FimPrompt("P", "S"), FORMATS[name], None, heal=False).text
    whole = "".join(pieces_of(FILE_LEVEL[name])).removeprefix(FORMATS[name].bos or "")
    assert text == TYPED.get(name, whole)


def test_engines_are_given_the_stops_as_they_spell_them():
    assert render(FimPrompt("", "x"), FORMATS["code-llama"], None, heal=False).stop_strings == (
        " <EOT>",
        "</s>",
    )
    assert "<|cursor|>" in render(FimPrompt("", "x"), FORMATS["qwen2.5-coder"], None, heal=False).stop_strings


@pytest.mark.parametrize("language", ["", "befunge"])
def test_a_language_without_comments_that_are_known_gets_no_comment(language):
    prompt = FimPrompt("P", "S", "main.xyz", language=language)
    assert drawn(prompt, "aixcoder") == pieces_of(FILE_LEVEL["aixcoder"])


def test_files_without_names_are_parted_as_in_half_of_what_starcoder2_read():
    prompt = FimPrompt("P", "S", snippets=(Snippet("", "one = 1\n"),))
    drawing = "<file_sep>|one = 1\n|<file_sep>|<fim_prefix>|P|<fim_suffix>|S|<fim_middle>"
    assert drawn(prompt, "starcoder2") == pieces_of(drawing)


def test_a_file_that_lacks_its_last_line_end_is_given_one_where_the_next_begins_on_a_line():
    prompt = FimPrompt("P", "S", "a.py", (Snippet("b.py", "one = 1"),))
    assert "b.py\none = 1\n" in drawn(prompt, "qwen2.5-coder")
    assert "+++++ b.py\none = 1\n\n+++++ a.py\nP" in drawn(prompt, "codestral")


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_knows_all_its_special_pieces(name):
    form = FORMATS[name]
    shown = {piece for piece in drawn(IN_REPOSITORY, name) if is_special(piece)}
    assert shown | set(form.stops) <= form.pieces <= PIECES
    assert form.required <= form.pieces
    assert form.file_sentinel in (*form.files.pieces, "")


@pytest.mark.parametrize("part", ["<s>", "[PREFIX]", "▁<PRE>", "<[fim-suffix]>", "<|mask:0|>", HOLE])
def test_a_special_piece_is_known_by_its_brackets(part):
    assert is_special(part)


@pytest.mark.parametrize(
    "part", ["{prefix}", "{path}\n", "<| file ext={extension} |>\n", "+++++ {path}\n", ""]
)
def test_a_text_with_fields_is_no_special_piece(part):
    assert not is_special(part)


def test_the_families_whose_middle_begins_with_a_sentinel_of_its_own():
    assert {name for name, form in FORMATS.items() if not form.begins_middle} == {
        "causal",
        "starcoder-spm",
        "code-llama-spm",
        "codestral",
        "aixcoder",
        "smollm2-spm",
        "codegen2",
        "incoder",
    }
