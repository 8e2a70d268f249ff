"""Facts of a model, and what it is taken for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from lsp_server.completion.fim import FORMATS
from lsp_server.declared import DeclaredFormat
from lsp_server.models.catalogue import catalogue
from lsp_server.models.facts import Facts, named_entry
from lsp_server.models.identity import Identity, identify

UNDERSCORED = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<|endoftext|>")
PIPED = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|endoftext|>")
ALONE = "; it is shown only what stands before the cursor."


class Pieces:
    """A tokenizer that has nothing but special pieces."""

    bos = ""

    def __init__(self, *pieces: str) -> None:
        self._pieces = pieces

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    encode_inside = encode

    def special_id(self, piece: str) -> int | None:
        return self._pieces.index(piece) if piece in self._pieces else None


def known(pieces: Iterable[str], *architectures: str, **facts: Any) -> Identity:
    """What a model of some architecture is taken for, whose vocabulary has these special pieces."""
    return identify(Facts("mine", architectures=architectures, **facts), Pieces(*pieces))


def pieces_of(form: str) -> tuple[str, ...]:
    return tuple(FORMATS[form].pieces)


# By name


@pytest.mark.parametrize("name", catalogue())
def test_each_model_of_the_catalogue_is_known_by_its_hub_name(name: str) -> None:
    entry = catalogue()[name]
    for spelled in (name, name.upper(), *entry.aliases):
        found = identify(Facts(spelled, spelled), Pieces(*pieces_of(entry.format)))
        assert (found.form.name, found.family) == (entry.format, entry.title)
        assert found.how == ("name" if entry.fill_in_the_middle else "causal")
        assert found.instruct == entry.instruction_prompt


def test_no_two_entries_go_by_the_same_name() -> None:
    for entry in catalogue().values():
        for name in (entry.name, *entry.aliases):
            for spelled in (name, name.partition("/")[2], name.replace("/", "_").lower()):
                facts = Facts("mine", names=(spelled,), architectures=(entry.config["model_type"],))
                assert named_entry(facts) == entry


@pytest.mark.parametrize(
    "name", ["starcoder2-3b", "bigcode/starcoder2-3b", "StarCoder2 3B", "bigcode_starcoder2-3b"]
)
def test_a_name_in_the_files_counts_if_the_architecture_is_right(name: str) -> None:
    right = known(UNDERSCORED, "starcoder2", names=(name,))
    assert (right.form.name, right.how) == ("starcoder2", "name")
    assert (
        right.sentence
        == "mine, which is bigcode/starcoder2-3b, is known by its name, and of the family StarCoder2."
    )
    assert known(UNDERSCORED, "gpt_neox", names=(name,)).how == "probe"


@pytest.mark.parametrize("name", ["bigcode/starcoder2-3b-chat", "somebody/starcoder2-3b", "starcoder2"])
def test_a_part_of_a_name_is_no_name(name: str) -> None:
    assert identify(Facts(name, name), Pieces(*UNDERSCORED)).how == "probe"


def test_a_hub_name_without_files_is_not_guessed_at() -> None:
    found = identify(Facts("somebody/coder", "somebody/coder"), None)
    assert (found.form.name, found.how) == ("causal", "causal")
    assert (
        found.sentence
        == f"somebody/coder is not in the catalogue, and its files are not here to tell more{ALONE}"
    )


def test_an_entry_that_was_not_verified_is_tried() -> None:
    name = "codellama/CodeLlama-70b-Instruct-hf"
    found = identify(Facts(name, name), Pieces(*pieces_of("code-llama")))
    assert (found.how, [form.name for form in found.to_try]) == ("name", ["code-llama"])
    assert identify(Facts(name, name), None).to_try == ()
    verified = "codellama/CodeLlama-70b-hf"
    assert identify(Facts(verified, verified), Pieces(*pieces_of("code-llama"))).to_try == ()


# By architecture and sentinels


@pytest.mark.parametrize(
    ("form", "architecture", "family"),
    [
        ("starcoder", "gpt_bigcode", "StarCoder"),
        ("santacoder", "gpt_bigcode", "SantaCoder"),
        ("starcoder2", "starcoder2", "StarCoder2"),
        ("codegen2", "codegen", "CodeGen2"),
        ("codegen2", "llama", "CodeGen2.5"),
        ("code-llama", "llama", "Code Llama"),
        ("deepseek-coder", "llama", "DeepSeek Coder"),
        ("seed-coder", "llama", "Seed-Coder"),
        ("codegemma", "gemma", "CodeGemma"),
        ("granite-3.3", "granite", "Granite 3.3 and 4"),
        ("stable-code", "stablelm", "StableCode"),
        ("refact", "gpt_refact", "Refact"),
        ("incoder", "xglm", "InCoder"),
        ("mellum", "mellum", "Mellum"),
        ("aixcoder", "llama", "aiXcoder"),
    ],
)
def test_architecture_and_sentinels_name_the_family(form: str, architecture: str, family: str) -> None:
    found = known(pieces_of(form), architecture)
    assert (found.form.name, found.how, found.family, found.to_try) == (form, "config", family, ())
    assert found.sentence == f"mine has the architecture {architecture} and the sentinels of {family}."


@pytest.mark.parametrize(
    ("form", "architecture"),
    [
        ("qwen2.5-coder", "qwen2"),
        ("qwen2.5-coder", "qwen3"),
        ("qwen2.5-coder", "qwen3_moe"),
        ("codestral", "mistral"),
        ("deepseek-coder", "deepseek_v2"),
    ],
)
def test_a_family_whose_general_models_have_its_sentinels_is_tried(form: str, architecture: str) -> None:
    found = known(pieces_of(form), architecture)
    assert (found.form.name, found.how) == (form, "probe")
    assert [each.name for each in found.to_try][:1] == [form]


def test_sentinels_in_a_strange_architecture_prove_nothing() -> None:
    found = known((*UNDERSCORED, "<repo_name>", "<file_sep>"), "gpt_neox")
    assert found.how == "probe"
    assert [form.name for form in found.to_try] == ["starcoder2", "refact"]
    assert "whether it was trained on them has to be tried" in found.sentence


def test_two_orders_of_the_same_architecture_are_told_apart_by_the_size() -> None:
    assert [form.name for form in known(UNDERSCORED, "llama").to_try] == ["granite", "mellum"]
    found = known(UNDERSCORED, "llama", size=(36, 4096, 49152))  # Granite Code 8B
    assert (found.form.name, found.how, found.family) == ("granite", "config", "Granite Code")


def test_a_model_of_the_size_of_one_that_is_denied_is_tried() -> None:
    codegemma_7b = (28, 3072, 256000)
    assert known(pieces_of("codegemma"), "gemma", size=codegemma_7b).how == "probe"
    assert known(pieces_of("codegemma"), "gemma", size=(18, 2048, 256000)).how == "config"


def test_a_model_of_the_size_of_one_that_is_not_verified_is_tried() -> None:
    base_or_instruct = (24, 2048, 32256)  # DeepSeek Coder 1.3B
    found = known(pieces_of("deepseek-coder"), "llama", size=base_or_instruct)
    assert (found.how, [form.name for form in found.to_try]) == ("probe", ["deepseek-coder"])
    base_alone = (32, 4096, 102400)
    assert known(pieces_of("deepseek-coder"), "llama", size=base_alone).how == "config"


def test_a_vocabulary_without_sentinels_is_one_sentence() -> None:
    found = known(["<|endoftext|>", "</s>"], "llama")
    assert (found.form.name, found.how) == ("causal", "causal")
    assert found.sentence == f"The vocabulary of mine has the sentinels of no family that is known{ALONE}"


# By what a GGUF file declares


def test_the_sentinels_that_our_training_gave_a_model_are_known_by_themselves() -> None:
    ours = ("<issue_comment>", "<issue_start>", "<issue_closed>")
    has = (*ours, "<|endoftext|>", "<file_sep>")
    found = known(has, "llama", declared=ours)
    assert (found.form.name, found.how) == ("smollm2-spm", "vocabulary")
    assert known(has, "llama").how == "causal"


def test_what_a_file_declares_narrows_down_what_its_vocabulary_allows() -> None:
    both = (*UNDERSCORED, *PIPED)
    assert {form.name for form in known(both, "phi3").to_try} == {"starcoder", "qwen2.5-coder", "refact"}
    declared = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
    assert {form.name for form in known(both, "phi3", declared=declared).to_try} == {"qwen2.5-coder"}


# Denied, or impossible


@pytest.mark.parametrize(
    "name", ["replit/replit-code-v1_5-3b", "codellama/CodeLlama-7b-Python-hf", "codellama/CodeLlama-34b-hf"]
)
def test_a_model_that_was_not_trained_for_it_is_denied_whatever_its_vocabulary_has(name: str) -> None:
    found = identify(Facts(name, name), Pieces(*UNDERSCORED, *pieces_of("code-llama")))
    assert (found.form.name, found.how, found.to_try) == ("causal", "causal", ())
    assert (
        found.sentence == f"{name} was not trained to fill in the middle, whatever its vocabulary has{ALONE}"
    )


@pytest.mark.parametrize(
    "name", ["zai-org/codegeex4-all-9b", "tiiuae/Falcon-H1-Tiny-Coder-90M", "google/codegemma-7b-it"]
)
def test_of_a_model_whose_makers_do_not_deny_it_no_more_is_said_than_is_known(name: str) -> None:
    found = identify(Facts(name, name), None)
    assert (found.form.name, found.how) == ("causal", "causal")
    assert found.sentence == (
        f"{name} is not known to fill in the middle with a prompt that can be given here{ALONE}"
    )


def test_a_model_of_the_size_of_denied_ones_alone_is_denied() -> None:
    found = known(pieces_of("code-llama"), "llama", size=(48, 8192, 32000))
    assert (found.form.name, found.how) == ("causal", "causal")
    assert (
        "the architecture and size of codellama/CodeLlama-34b-hf, which was not trained for it"
        in found.sentence
    )


@pytest.mark.parametrize("missing", UNDERSCORED[:3])
def test_a_sentinel_that_is_no_single_piece_makes_the_format_impossible(missing: str) -> None:
    has = [piece for piece in UNDERSCORED if piece != missing]
    found = identify(Facts("bigcode/starcoder2-3b", "bigcode/starcoder2-3b"), Pieces(*has))
    assert (found.form.name, found.how, found.family) == ("causal", "causal", "StarCoder2")
    assert found.sentence == (
        f"bigcode/starcoder2-3b cannot be asked in the format starcoder2: {missing} is not one piece of "
        f"its vocabulary{ALONE}"
    )


# Declared by the user


def test_the_user_has_the_first_word() -> None:
    facts = Facts("replit/replit-code-v1_5-3b", "replit/replit-code-v1_5-3b")
    found = identify(facts, Pieces(*UNDERSCORED), "starcoder")
    assert (found.form.name, found.how) == ("starcoder", "declared")


@pytest.mark.parametrize(
    ("declared", "layout"),
    [
        (DeclaredFormat("<a>", "<b>", "<c>"), ("<a>", "{prefix}", "<b>", "{suffix}", "<c>")),
        (DeclaredFormat("<a>", "<b>", "<c>", "spm"), ("<b>", "{suffix}", "<a>", "{prefix}", "<c>")),
        (DeclaredFormat("<a>", "<b>", order="spm"), ("<b>", "{suffix}", "<a>", "{prefix}")),
    ],
)
def test_a_declared_format_has_the_order_that_is_declared(
    declared: DeclaredFormat, layout: tuple[str, ...]
) -> None:
    found = identify(Facts("mine"), Pieces("<a>", "<b>", "<c>"), declared)
    assert (found.form.layout, found.how) == (layout, "declared")
    assert {"<a>", "<b>"} <= set(found.form.stops)


def test_a_declared_piece_that_the_vocabulary_lacks_is_named() -> None:
    found = identify(Facts("mine"), Pieces("<a>", "<c>"), DeclaredFormat("<a>", "<b>", "<c>"))
    assert found.form.name == "causal"
    assert "<b> is not one piece" in found.sentence


# After the probe


def test_a_verdict_decides() -> None:
    undecided = known(PIPED, "phi3")
    passed = undecided.decided(undecided.to_try[0], "mine")
    assert (passed.form.name, passed.how, passed.to_try) == ("qwen2.5-coder", "probe", ())
    assert passed.sentence == "mine filled in the middle in the format qwen2.5-coder when it was tried."
    failed = undecided.decided(None, "mine")
    assert (failed.form.name, failed.how) == ("causal", "probe")
    assert failed.sentence == (
        f"mine has the sentinels of qwen2.5-coder, but did not fill in the middle when it was tried{ALONE}"
    )
