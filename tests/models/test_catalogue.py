from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lsp_server.completion.fim import FORMATS
from lsp_server.completion.instruct import INSTRUCT_FORMATS
from lsp_server.models.architectures import TRAITS
from lsp_server.models.catalogue import (
    VERIFIED,
    CatalogueEntry,
    catalogue,
    find,
    licence_notice,
    smaller_siblings,
)
from lsp_server.models.registry import REGISTRY, resolve
from lsp_server.models.shape import of_config

ENTRIES = list(catalogue().values())

every_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


def known(name: str) -> CatalogueEntry:
    entry = find(name)
    assert entry is not None
    return entry


@every_entry
def test_every_name_is_one_that_the_hub_could_have(entry: CatalogueEntry) -> None:
    for name in (entry.name, *entry.aliases):
        assert resolve(name).kind == "hub"


def test_no_name_stands_for_two_models() -> None:
    names = [name.casefold() for entry in ENTRIES for name in (entry.name, *entry.aliases)]
    assert len(names) == len(set(names))
    assert not set(names) & set(REGISTRY)


@every_entry
def test_every_model_is_asked_in_a_format_that_exists(entry: CatalogueEntry) -> None:
    assert entry.format in FORMATS
    assert FORMATS[entry.format].uses_suffix == entry.fill_in_the_middle


@every_entry
def test_every_instruction_prompt_is_one_that_exists(entry: CatalogueEntry) -> None:
    assert not entry.instruction_prompt or entry.instruction_prompt in INSTRUCT_FORMATS
    assert entry.instruction_tuned or not entry.instruction_prompt


@every_entry
def test_the_published_configuration_has_as_many_weights_as_the_model(entry: CatalogueEntry) -> None:
    shape = of_config(entry.config)
    assert shape is None or shape.parameters == entry.parameters


@every_entry
def test_what_the_configuration_says_of_the_context_is_what_the_entry_says(entry: CatalogueEntry) -> None:
    said = entry.config.get("max_position_embeddings") or entry.config.get("n_positions")
    assert said in (None, entry.context_tokens)


@every_entry
def test_where_there_are_numbers_the_architecture_is_known(entry: CatalogueEntry) -> None:
    assert entry.shape.is_rough == ("vocab_size" not in entry.config)
    assert entry.shape.is_rough or entry.config["model_type"] in TRAITS


@every_entry
def test_everything_that_is_said_has_its_evidence_and_its_licence(entry: CatalogueEntry) -> None:
    assert entry.verified in VERIFIED
    assert entry.evidence.endswith(".")
    assert not entry.notes or entry.notes.endswith(".")
    assert entry.licence.name
    assert entry.licence.url.startswith("https://")
    assert not entry.licence.key.startswith(" ")


def test_the_token_ids_that_are_said_to_be_tested_are() -> None:
    recorded = Path(__file__).parent.parent / "completion" / "prompts"
    tested = {entry.format for entry in ENTRIES if entry.verified == "ids"}
    assert tested <= {path.stem for path in recorded.glob("*.toml")}


def test_every_format_but_the_embedded_models_own_and_variants_has_a_model() -> None:
    used = {entry.format for entry in ENTRIES}
    assert set(FORMATS) - used == {"smollm2-spm", "starcoder-spm", "code-llama-spm"}


@pytest.mark.parametrize(
    "name",
    [
        "bigcode/starcoderbase-1b",
        "bigcode/starcoderplus",
        "bigcode/gpt_bigcode-santacoder",
        "bigcode/starcoder2-7b",
        "Salesforce/codegen2-3_7B_P",
        "Salesforce/codegen25-7b-mono_P",
        "codellama/CodeLlama-70b-hf",
        "deepseek-ai/deepseek-coder-5.7bmqa-base",
        "deepseek-ai/DeepSeek-Coder-V2-Lite-Base",
        "GeorgiaTechResearchInstitute/starcoder-gpteacher-code-instruct",
        "Qwen/Qwen2.5-Coder-32B",
        "Qwen/Qwen3-Coder-480B-A35B-Instruct",
        "google/codegemma-7b",
        "mistralai/Codestral-22B-v0.1",
        "ibm-granite/granite-34b-code-base-8k",
        "ibm-granite/granite-3.3-8b-base",
        "stabilityai/stable-code-3b",
        "smallcloudai/Refact-1_6B-fim",
        "facebook/incoder-6B",
        "ByteDance-Seed/Seed-Coder-8B-Base",
        "JetBrains/Mellum-4b-base",
        "JetBrains/Mellum2-12B-A2.5B-Base",
        "aiXcoder/aixcoder-7b-base",
    ],
)
def test_every_family_is_there(name: str) -> None:
    assert known(name).name == name
    assert known(name).fill_in_the_middle


@pytest.mark.parametrize(
    "name",
    [
        "codellama/CodeLlama-34b-hf",
        "codellama/CodeLlama-34b-Instruct-hf",
        "codellama/CodeLlama-7b-Python-hf",
        "codellama/CodeLlama-70b-Python-hf",
        "replit/replit-code-v1_5-3b",
        "google/codegemma-7b-it",
        "Salesforce/codegen-6B-mono",
    ],
)
def test_models_that_were_not_trained_to_fill_in_the_middle_are_asked_to_continue(name: str) -> None:
    assert (known(name).format, known(name).fill_in_the_middle) == ("causal", False)


def test_a_model_is_found_by_any_of_its_names_in_capitals_or_not() -> None:
    assert find("salesforce/codegen2-16b") is find("Salesforce/codegen2-16B_P") is not None
    assert find("bigcode/starcoder2") is None
    assert find("starcoder2-15b") is None


def test_a_model_says_only_what_differs_from_its_family_and_from_the_model_it_is_like() -> None:
    base, tuned = known("codellama/CodeLlama-70b-hf"), known("codellama/CodeLlama-70b-Instruct-hf")
    assert (tuned.parameters, tuned.licence, tuned.format) == (base.parameters, base.licence, base.format)
    assert (base.context_tokens, tuned.context_tokens) == (16384, 4096)
    assert tuned.config == {**base.config, "max_position_embeddings": 4096}
    assert (base.instruction_tuned, tuned.instruction_tuned) == (False, True)


def test_a_name_of_another_model_is_not_inherited_from_it() -> None:
    assert all(len(entry.aliases) <= 1 for entry in ENTRIES)
    assert known("Salesforce/codegen25-7b-instruct_P").aliases == ("Salesforce/codegen25-7b-instruct",)


def test_smaller_siblings_are_of_the_same_kind_and_the_largest_comes_first() -> None:
    siblings = [entry.name for entry in smaller_siblings(known("bigcode/starcoder2-15b"))]
    assert siblings == ["bigcode/starcoder2-7b", "bigcode/starcoder2-3b"]
    assert smaller_siblings(known("bigcode/starcoder2-3b")) == ()
    instructed = smaller_siblings(known("deepseek-ai/deepseek-coder-33b-instruct"))
    assert [entry.instruction_tuned for entry in instructed] == [True, True]


def test_a_licence_is_told_in_a_sentence() -> None:
    assert licence_notice("bigcode/starcoder2-3b") == (
        "bigcode/starcoder2-3b comes under the licence BigCode OpenRAIL-M v1, "
        "https://huggingface.co/spaces/bigcode/bigcode-model-license-agreement."
    )
    assert licence_notice("Qwen/Qwen2.5-Coder-7B").endswith("https://spdx.org/licenses/Apache-2.0.html.")
    unknown = licence_notice("somebody/something")
    assert unknown == (
        "The licence of somebody/something is not known here; "
        "https://huggingface.co/somebody/something says it."
    )


def test_a_server_that_starts_does_not_read_the_catalogue() -> None:
    code = (
        "import lsp_server.cli.serve, lsp_server.engine.loading, sys\n"
        "module = sys.modules.get('lsp_server.models.catalogue')\n"
        "print(module.catalogue.cache_info().currsize if module else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
