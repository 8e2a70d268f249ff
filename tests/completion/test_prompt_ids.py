"""Prompts of real vocabularies, id by id: as they were recorded, and as the vocabularies give them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from lsp_server.completion.context import counter, select_window
from lsp_server.completion.document import Document
from lsp_server.completion.fim import FORMATS, FimPrompt, Snippet, render
from lsp_server.models import gguf
from lsp_server.models.tokenizer import GgufTokenizer

RECORDED = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parent / "prompts").glob("*.toml"))
}
PROMPTS = [
    pytest.param(vocabulary, prompt, id=f"{prompt['format']}: {prompt['name']}")
    for vocabulary, recorded in RECORDED.items()
    for prompt in recorded["prompt"]
]
TEXTS = [
    pytest.param(vocabulary, text, id=f"{vocabulary}: {text['text']!r}")
    for vocabulary, recorded in RECORDED.items()
    for text in recorded["text"]
]


class RecordedTokenizer:
    """Knows the ids of what was recorded and of nothing else."""

    bos = ""

    def __init__(self, recorded):
        self.special = recorded["special"]
        self.ids = {(text["text"], text.get("inside", False)): text["ids"] for text in recorded["text"]}

    def encode(self, text):
        return self.ids[text, False]

    def encode_inside(self, text):
        return self.ids[text, True] if (text, True) in self.ids else self.ids[text, False]

    def special_id(self, piece):
        return self.special.get(piece)


def rendered(prompt, tokenizer):
    shown = FimPrompt(
        prompt["prefix"],
        prompt["suffix"],
        prompt.get("path", ""),
        tuple(Snippet(*snippet) for snippet in prompt.get("snippets", ())),
        prompt.get("repository", ""),
        "python",
    )
    return render(shown, FORMATS[prompt["format"]], tokenizer, heal=True)


@pytest.mark.parametrize(("vocabulary", "prompt"), PROMPTS)
def test_the_pieces_stand_in_the_recorded_order(vocabulary, prompt):
    tokenizer = RecordedTokenizer(RECORDED[vocabulary])
    result = rendered(prompt, tokenizer)
    assert result.ids == tuple(prompt["ids"])
    assert result.healed == prompt["healed"]
    stops = set(FORMATS[prompt["format"]].stops) & tokenizer.special.keys()
    assert result.stop_ids == {tokenizer.special[stop] for stop in stops}
    assert result.stop_strings == ()


# -- with the vocabularies themselves


def code_llama(folder):
    """Llama 2's vocabulary with the pieces that Code Llama adds, as it declares them: as pieces of text."""
    base = gguf.read(folder / "llama-spm.gguf")
    added = [*(f"<unused_{n}>" for n in range(7)), "▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"]
    return extended(base, added, 1)


def codegen2(folder):
    """GPT-2's vocabulary with CodeGen2's runs of white space and sentinels."""
    runs = [" " * count for count in range(31, 1, -1)] + ["\t" * count for count in range(9, 1, -1)]
    first = [*runs, *(f"<dummy_{n}>" for n in range(4)), "<sep>", "<eom>"]
    masks = [f"<mask_{51200 - number}>" for number in range(50257 + len(first), 51200)]
    return extended(gguf.read(folder / "gpt-2.gguf"), [*first, *masks], 4)


def extended(base, added, kind):
    keys = {name: f"tokenizer.ggml.{name}" for name in ("tokens", "token_type", "scores")}
    metadata = {
        **base.metadata,
        keys["tokens"]: [*base.texts(keys["tokens"]), *added],
        keys["token_type"]: (*base.numbers(keys["token_type"]), *[kind] * len(added)),
    }
    if scores := base.numbers(keys["scores"]):
        metadata[keys["scores"]] = (*scores, *[0.0] * len(added))
    return gguf.Gguf(base.path, metadata, 0, 0, 0)


@pytest.fixture(scope="session")
def tokenizers():
    return {}


@pytest.fixture
def tokenizer(request, tokenizers, vocabulary):
    """The real tokenizer of a vocabulary, made once."""
    if vocabulary not in tokenizers:
        if vocabulary == "smollm2":
            header = gguf.read(request.getfixturevalue("embedded_gguf"))
        else:
            folder = request.getfixturevalue("vocabularies")
            made = {"code-llama": code_llama, "codegen2": codegen2}
            read = made.get(vocabulary, lambda folder: gguf.read(folder / f"{vocabulary}.gguf"))
            header = read(folder)
        tokenizers[vocabulary] = GgufTokenizer(header)
    return tokenizers[vocabulary]


def marked(cases):
    """The cases, those of the embedded model marked as such."""
    for case in cases:
        marks = [pytest.mark.model] if case.values[0] == "smollm2" else []
        yield pytest.param(*case.values, id=case.id, marks=marks)


@pytest.mark.parametrize(("vocabulary", "text"), list(marked(TEXTS)))
def test_the_real_vocabulary_gives_the_recorded_ids_of_a_text(tokenizer, vocabulary, text):
    encode = tokenizer.encode_inside if text.get("inside") else tokenizer.encode
    assert encode(text["text"]) == text["ids"]


@pytest.mark.parametrize(("vocabulary", "prompt"), list(marked(PROMPTS)))
def test_the_real_vocabulary_gives_the_recorded_ids_of_a_prompt(tokenizer, vocabulary, prompt):
    assert rendered(prompt, tokenizer).ids == tuple(prompt["ids"])


@pytest.mark.parametrize("vocabulary", ["starcoder2"])
def test_the_notebook_tokenises_its_example_the_same(tokenizer, vocabulary):
    assert tokenizer.encode("def fib(n: int):") == [610, 28319, 45, 115, 63, 648, 731]


@pytest.mark.parametrize(
    ("vocabulary", "name"), [("starcoder2", "starcoder2"), ("code-llama", "code-llama-spm")]
)
def test_a_file_with_windows_line_ends_gives_the_same_prompt(tokenizer, vocabulary, name):
    source = "def f():\n    return 1\n\n\nf()\n"
    ids = []
    for text in (source, source.replace("\n", "\r\n")):
        place = Document.from_source("file:///a.py", "python", text).at(1, 7)
        window = select_window(place, FORMATS[name], 200, counter(tokenizer))
        ids.append(render(window.prompt, FORMATS[name], tokenizer, heal=True).ids)
    assert ids[0] == ids[1]


@pytest.mark.parametrize("vocabulary", ["code-llama"])
def test_the_suffix_is_tokenised_as_the_reference_code_does_it(tokenizer, vocabulary):
    for text in ("x", " x", "\n    x", "中文", "<PRE> y", "☺"):
        assert tokenizer.encode_inside(text) == tokenizer.encode("☺" + text)[2:]
    assert tokenizer.encode_inside("") == []
