import json
from pathlib import Path

import pytest

from lsp_server.cli import models
from lsp_server.errors import DownloadError
from lsp_server.models.catalogue import catalogue

STARCODER2 = "bigcode/starcoder2-15b"


class Hub:
    """Gives a folder, or fails with the sentence in ``fails``."""

    def __init__(self):
        self.asked = []
        self.settings = None
        self.fails = ""

    def fetch(self, name, settings):
        self.asked.append(name)
        self.settings = settings
        if self.fails:
            raise DownloadError(self.fails)
        return Path("/hub") / name


@pytest.fixture
def hub(monkeypatch):
    hub = Hub()
    monkeypatch.setattr(models, "fetch", hub.fetch)
    return hub


@pytest.fixture(autouse=True)
def fetched(monkeypatch):
    """The models of the hub that were fetched before."""
    names = set()
    for place in ("models", "facts"):
        monkeypatch.setattr(f"lsp_server.cli.{place}.is_fetched", names.__contains__)
    return names


@pytest.fixture
def checkpoint(tmp_path):
    """The folder of a checkpoint, without its weights."""
    folder = tmp_path / "mine"
    folder.mkdir()
    config = {
        "model_type": "llama",
        "hidden_size": 1024,
        "num_hidden_layers": 10,
        "num_attention_heads": 8,
        "intermediate_size": 4096,
        "vocab_size": 1000,
        "max_position_embeddings": 4096,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    return folder


def test_every_model_is_in_the_list_and_no_name_is_cut(fim_ls):
    code, out, _ = fim_ls("models", "list")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert {"smollm2-135m", *catalogue()} <= set(lines)
    assert lines[STARCODER2].split()[1:4] == ["16.0", "B", "16384"]
    assert " ".join(lines[STARCODER2].split()[4:]) == "BigCode OpenRAIL-M v1 starcoder2"


def test_what_was_fetched_is_marked(fim_ls, fetched):
    fetched.add(STARCODER2)
    _, out, _ = fim_ls("models", "list")
    assert [line.split()[0] for line in out.splitlines() if "bigcode/" in line and "(installed)" in line] == [
        STARCODER2
    ]
    _, out, _ = fim_ls("models", "show", STARCODER2)
    assert "installed          yes" in out


def test_the_list_as_json_has_all_that_is_known_of_each(fim_ls):
    code, out, _ = fim_ls("models", "list", "--json")
    listed = {model["name"]: model for model in json.loads(out)["models"]}
    assert code == 0
    assert {"smollm2-135m", *catalogue()} == set(listed)
    assert listed["codellama/CodeLlama-34b-hf"]["fill_in_the_middle"] is False


def test_show_tells_size_context_licence_format_memory_and_what_was_verified(fim_ls):
    code, out, _ = fim_ls("models", "show", STARCODER2)
    shown = {line[:18].strip(): line[19:] for line in out.splitlines()}
    assert code == 0
    assert shown["parameters"] == "15,957,889,024"
    assert shown["context"] == "16,384 tokens"
    assert shown["licence"].startswith("BigCode OpenRAIL-M v1, https://")
    assert shown["fill in the middle"] == "yes"
    assert (shown["format"], shown["order"]) == ("starcoder2", "psm")
    assert shown["prompt"] == "<fim_prefix>{prefix}<fim_suffix>{suffix}<fim_middle>"
    assert shown["stops"] == "<|endoftext|> <file_sep>"
    assert shown["verified"].startswith("documented by its makers, and its token ids are tested")
    assert "bfloat16 31,916 MB, int8 16,565 MB, int4 8,889 MB" in shown["memory"]
    assert shown["cache"] == "168 MB at 2,048 tokens, 336 MB at 16,384 tokens"


def test_show_as_json_is_one_object(fim_ls):
    code, out, _ = fim_ls("models", "show", STARCODER2, "--json")
    shown = json.loads(out)
    assert code == 0
    assert shown["memory_bytes"]["bfloat16"] == 31_915_778_048
    assert shown["licence"]["key"] == "bigcode-openrail-m"


def test_show_says_where_an_estimate_has_nothing_but_the_number_of_weights(fim_ls):
    code, out, _ = fim_ls("models", "show", "JetBrains/Mellum-4b-base")
    assert code == 0
    assert "float16 8,038 MB" in out
    assert "\ncache" not in out


def test_show_reads_the_configuration_of_a_folder(fim_ls, checkpoint):
    code, out, _ = fim_ls("models", "show", checkpoint)
    assert code == 0
    assert "name               mine" in out
    assert "parameters         169,841,664" in out
    assert "context            4,096 tokens" in out
    assert "bfloat16 340 MB" in out


def test_show_does_not_guess_the_size_of_an_architecture_that_is_not_known(fim_ls, checkpoint):
    (checkpoint / "config.json").write_text('{"model_type": "new", "n_positions": 64}', encoding="utf-8")
    code, out, _ = fim_ls("models", "show", checkpoint)
    assert code == 0
    assert "memory             unknown" in out
    assert "context            64 tokens" in out


@pytest.mark.parametrize("text", ["{", "[5]", "5"])
def test_a_configuration_that_cannot_be_read_is_one_sentence(fim_ls, checkpoint, text):
    (checkpoint / "config.json").write_text(text, encoding="utf-8")
    code, _, err = fim_ls("models", "show", checkpoint)
    assert code == 1
    assert err == f"fim-ls: The configuration of the model in {checkpoint} cannot be read.\n"


@pytest.mark.model
def test_show_reads_the_header_of_a_gguf_file(fim_ls, embedded_base):
    code, out, _ = fim_ls("models", "show", embedded_base)
    assert code == 0
    assert "architecture       llama" in out
    assert "context            8,192 tokens" in out
    assert "memory             as it is 98 MB" in out
    assert "cache              47 MB at 2,048 tokens, 189 MB at 8,192 tokens" in out


def test_a_name_that_is_nearly_one_is_answered_with_the_nearest(fim_ls):
    code, _, err = fim_ls("models", "show", "starcoder2-15b")
    assert code == 2
    assert "the nearest of which is bigcode/starcoder2-15b or " in err


def test_of_a_model_of_the_hub_that_is_not_in_the_list_nothing_is_known(fim_ls):
    code, _, err = fim_ls("models", "show", "somebody/something")
    assert code == 2
    assert err == (
        "fim-ls: Nothing is known of somebody/something; "
        "`fim-ls models list` names the models that are known.\n"
    )


def test_pull_tells_the_licence_before_it_fetches(fim_ls, hub):
    hub.fails = "There is no network."
    code, out, err = fim_ls("models", "pull", STARCODER2)
    assert code == 1
    assert out == (
        f"{STARCODER2} comes under the licence BigCode OpenRAIL-M v1, "
        "https://huggingface.co/spaces/bigcode/bigcode-model-license-agreement.\n"
    )
    assert err == "fim-ls: There is no network.\n"


def test_pull_fetches_any_model_of_the_hub(fim_ls, hub):
    code, out, _ = fim_ls("models", "pull", "somebody/something")
    assert code == 0
    assert hub.asked == ["somebody/something"]
    assert "The licence of somebody/something is not known here" in out
    assert f"somebody/something is installed: {Path('/hub/somebody/something')}" in out


def test_pull_does_what_the_users_file_allows(fim_ls, hub, own_home):
    fim_ls("models", "pull", STARCODER2)
    assert not hub.settings.trust_remote_code
    (own_home / "config.toml").write_text("trustRemoteCode = true", encoding="utf-8")
    fim_ls("models", "pull", STARCODER2)
    assert hub.settings.trust_remote_code


def test_pull_by_another_name_fetches_the_model_under_its_own(fim_ls, hub):
    fim_ls("models", "pull", "salesforce/codegen2-1b")
    assert hub.asked == ["Salesforce/codegen2-1B_P"]


def test_pull_has_nothing_to_fetch_of_a_folder(fim_ls, hub, checkpoint):
    code, out, _ = fim_ls("models", "pull", checkpoint)
    assert code == 0
    assert hub.asked == []
    assert f"mine is installed: {checkpoint}" in out


@pytest.mark.model
def test_pull_tells_the_licence_of_the_embedded_model_too(fim_ls, embedded_gguf):
    code, out, _ = fim_ls("models", "pull")
    assert code == 0
    assert "smollm2-135m comes under the licence Apache-2.0." in out
    assert "smollm2-135m is installed: " in out


def test_remove_leaves_models_of_the_hub_to_the_hubs_own_tool(fim_ls):
    code, _, err = fim_ls("models", "remove", STARCODER2)
    assert code == 2
    assert err == f"fim-ls: {STARCODER2} is not kept by fim-ls; `hf cache rm` deletes models of the hub.\n"
