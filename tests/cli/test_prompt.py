import json

import pytest

from lsp_server.backends import hf_tokenizer
from lsp_server.completion.fim import FORMATS
from lsp_server.models.catalogue import catalogue


@pytest.fixture(autouse=True)
def hub(monkeypatch):
    """A cache of the hub in which nothing is."""
    monkeypatch.setattr("lsp_server.engine.loading.is_cached", lambda _name: False)
    monkeypatch.setattr("lsp_server.engine.identification.cached_directory", lambda _name: None)


@pytest.fixture
def declared(fim_ls, source):
    """The output for a model of which the user says how it is asked."""

    def prompt(form, place, *more):
        model = ("--model", "owner/model", "--set", f"fimFormat={form}")
        code, out, _ = fim_ls("prompt", f"{source}:{place}", *model, *more)
        assert code == 0
        return out

    return prompt


@pytest.mark.parametrize("name", catalogue())
def test_every_model_of_the_catalogue_is_asked_in_its_own_format(fim_ls, source, name):
    entry = catalogue()[name]
    code, out, _ = fim_ls("prompt", f"{source}:2:9", "--model", name, "--json")
    prompt, form = json.loads(out), FORMATS[entry.format]
    assert code == 0
    assert (prompt["format"], prompt["order"], prompt["family"]) == (entry.format, form.order, entry.title)
    assert prompt["known_by"] == ("name" if entry.fill_in_the_middle else "causal")
    assert form.required <= prompt["sentinels"].keys()
    assert set(form.stops) <= prompt["stops"].keys()
    assert ("print(add(1, 2))" in "".join(prompt["pieces"])) == entry.fill_in_the_middle


def test_another_spelling_of_a_name_is_the_same_model(fim_ls, source):
    _, out, _ = fim_ls("prompt", f"{source}:2:9", "--model", "salesforce/CodeGen2-1b", "--json")
    assert json.loads(out)["format"] == "codegen2"


def test_a_part_of_a_name_is_no_name(fim_ls, source):
    _, out, _ = fim_ls("prompt", f"{source}:2:9", "--model", "somebody/starcoder2-3b-chat", "--json")
    prompt = json.loads(out)
    assert (prompt["format"], prompt["known_by"]) == ("causal", "causal")
    assert prompt["why"] == (
        "somebody/starcoder2-3b-chat is not in the catalogue, and its files are not here to tell more; "
        "it is shown only what stands before the cursor."
    )


def test_a_format_that_users_declare_is_shown_in_its_pieces(fim_ls, source):
    table = '{prefix="<pre>", suffix="<suf>", order="spm", stops=["<end>"]}'
    model = ("--model", "owner/model", "--set", f"fimFormat={table}")
    code, out, _ = fim_ls("prompt", f"{source}:2:9", *model, "--json")
    prompt = json.loads(out)
    assert (code, prompt["format"], prompt["known_by"]) == (0, "declared", "declared")
    assert prompt["pieces"][::2] == ["<suf>", "<pre>"]
    assert "<end>" in prompt["stops"]


@pytest.mark.parametrize("form", FORMATS)
def test_the_prompt_of_a_model_that_is_not_here_is_shown_in_pieces(declared, form):
    prompt = json.loads(declared(form, "2:9", "--json"))
    assert prompt["format"] == form
    assert prompt["order"] == FORMATS[form].order
    assert prompt["token_ids"] is None
    assert prompt["stops"].keys() >= set(FORMATS[form].stops)
    assert prompt["sentinels"].keys() >= FORMATS[form].required
    text = "".join(prompt["pieces"])
    assert "def add(a, b):\n" in text
    assert ("print(add(1, 2))" in text) == FORMATS[form].uses_suffix


def test_the_pieces_are_those_of_the_family(declared):
    assert json.loads(declared("mellum", "2:9", "--json"))["pieces"] == [
        "<filename>",
        "shapes.py\n",
        "<fim_suffix>",
        "rn \n\n\nprint(add(1, 2))\n",
        "<fim_prefix>",
        "def add(a, b):\n    retu",
        "<fim_middle>",
    ]


def test_at_the_end_of_a_file_the_order_is_told_as_it_is_there(declared):
    assert json.loads(declared("starcoder2", "6:1", "--json"))["order"] == "causal"
    assert "format starcoder2, order causal, unknown tokens" in declared("starcoder2", "6:1")


def test_an_engine_over_http_is_shown_to_get_no_sentinel_of_the_users_code(fim_ls, source):
    source.write_text("a = '<fim_middle>'\nb = \nc = '<fim_suffix>'\n", encoding="utf-8")
    served = ("--set", "openai.baseUrl=http://127.0.0.1:1/v1", "--set", "openai.model=bigcode/starcoder2-3b")
    code, out, _ = fim_ls("prompt", f"{source}:2:5", *served, "--json")
    assert code == 0
    assert json.loads(out)["text"] == "<fim_prefix>'\nb = <fim_suffix>\nc = '<fim_middle>"
    fetched = ("--model", "bigcode/starcoder2-3b", "--json")
    assert "a = '<fim_middle>'" in json.loads(fim_ls("prompt", f"{source}:2:5", *fetched)[1])["text"]


def test_what_the_hub_has_put_on_this_machine_is_found(monkeypatch, tmp_path):
    from huggingface_hub import constants

    snapshot = tmp_path / "models--owner--model" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (tmp_path / "models--owner--model" / "refs").mkdir()
    (tmp_path / "models--owner--model" / "refs" / "main").write_text("abc")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert not hf_tokenizer.is_cached("owner/model")
    (snapshot / "tokenizer.json").write_text("{}")
    assert hf_tokenizer.is_cached("owner/model")
