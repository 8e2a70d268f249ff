"""How a model is asked is found out from its files, before it is loaded and once it is."""

import json
from functools import partial

import pytest

from lsp_server.backends.base import FinishReason, LoadedModel
from lsp_server.completion.document import Document
from lsp_server.completion.fim import FORMATS
from lsp_server.completion.instruct import INSTRUCT_FORMATS
from lsp_server.engine import identification, loading
from lsp_server.engine.identification import identity_of, settle, settle_served
from lsp_server.engine.job import Model, Prepared
from lsp_server.engine.loading import tokenizer_and_identity
from lsp_server.engine.plan import plan_requests
from lsp_server.engine.probe import settled
from lsp_server.models.registry import ModelSource, resolve
from lsp_server.settings import OpenAiSettings, Settings

SERVED = Settings(openai=OpenAiSettings("http://127.0.0.1:1/v1"))


class Starcoder:
    """A tokenizer with the sentinels of StarCoder."""

    bos = ""

    def special_id(self, piece):
        pieces = ["<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>"]
        return pieces.index(piece) if piece in pieces else None


class Encoding(Starcoder):
    """The same, which can be asked."""

    def encode(self, text):
        return [ord(character) for character in text]

    encode_inside = encode


def never(_request):
    raise AssertionError


@pytest.fixture
def checkpoint(tmp_path):
    """Makes the folder of a checkpoint with some configuration."""

    def make(**config):
        (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
        (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
        return resolve(str(tmp_path))

    return make


def test_a_folder_is_known_by_its_configuration(checkpoint):
    found = identity_of(checkpoint(model_type="gpt_bigcode"), Settings(), Starcoder())
    assert (found.form.name, found.how, found.family) == ("starcoder", "config", "StarCoder")


def test_the_setting_goes_before_what_the_files_say(checkpoint):
    source = checkpoint(model_type="gpt_bigcode")
    assert identity_of(source, Settings(fim_format="starcoder-spm"), Starcoder()).form.name == "starcoder-spm"
    assert identity_of(source, Settings(fim_format="mellum"), Starcoder()).how == "declared"


def test_a_hub_model_that_was_fetched_is_known_by_its_files(checkpoint, monkeypatch):
    source = ModelSource("hub", "somebody/coder")
    monkeypatch.setattr(identification, "cached_directory", lambda _name: None)
    assert identity_of(source, Settings(), None).how == "causal"
    folder = checkpoint(model_type="gpt_bigcode").path
    monkeypatch.setattr(identification, "cached_directory", lambda _name: folder)
    assert identity_of(source, Settings(), Starcoder()).form.name == "starcoder"


def test_what_is_known_is_not_tried(checkpoint):
    loaded = LoadedModel("mine", "cpu", 1000, Starcoder())
    assert settle(checkpoint(model_type="gpt_bigcode"), Settings(), loaded, never).how == "config"


def test_what_was_tried_before_is_known_before_the_model_is_loaded(checkpoint, monkeypatch, tmp_path):
    monkeypatch.setenv("FIM_LS_DATA_DIR", str(tmp_path / "data"))
    source, loaded = checkpoint(model_type="phi3"), LoadedModel("mine", "cpu", 1000, Encoding())
    assert identity_of(source, Settings(), Starcoder()).to_try
    settle(source, Settings(), loaded, lambda _request: ("no", FinishReason.STOP))
    found = identity_of(source, Settings(), Starcoder())
    assert (found.form.name, found.how, found.to_try) == ("causal", "probe", ())


# Models of an engine over HTTP, which alone has their tokenizer


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Qwen/Qwen2.5-Coder-7B", "qwen2.5-coder"),
        ("codellama/CodeLlama-34b-hf", "causal"),
        ("my-Qwen2.5-Coder-7B", "causal"),
    ],
)
def test_a_served_model_is_known_by_its_whole_name(name, form):
    found = settle_served(SERVED, LoadedModel(name, "http://engine", 1000, None), never)
    assert found.form.name == form


def test_a_served_model_may_be_declared():
    declared = Settings(openai=SERVED.openai, fim_format="refact")
    found = settle_served(declared, LoadedModel("coder", "http://engine", 1000, None), never)
    assert (found.form.name, found.how) == ("refact", "declared")


def test_before_the_engine_is_reached_the_name_in_the_settings_counts():
    named = Settings(openai=OpenAiSettings("http://127.0.0.1:1/v1", "bigcode/starcoder2-3b"))
    tokenizer, identity = tokenizer_and_identity(named)
    assert (tokenizer, identity.form.name) == (None, "starcoder2")
    assert tokenizer_and_identity(SERVED)[1].form.name == "causal"


def test_a_served_model_is_sent_no_sentinel_but_those_of_its_format():
    loaded = LoadedModel("bigcode/starcoder2-3b", "http://engine", 1000, None, heals=False)
    identity = settle_served(SERVED, loaded, never)
    text = "a = '<fim_middle>'\nb = \nc = '<fim_suffix>'\n"
    place = Document("file:///a.py", "python", text).at(1, 4)
    plan = plan_requests(place, SERVED, lambda _stage, _what: None, multiline=True, candidates=1)
    (request,) = plan(Model(loaded, identity.form, len))
    assert request.text == "<fim_prefix>'\nb = <fim_suffix>\nc = '<fim_middle>"


def test_what_echoes_has_no_identity():
    assert tokenizer_and_identity(Settings(backend="echo")) == (None, None)


def test_a_model_of_ours_is_what_the_registry_says(monkeypatch):
    monkeypatch.setattr(loading, "tokenizer_of", lambda _settings: None)
    found = tokenizer_and_identity(Settings())[1]
    assert found.form.name == resolve(Settings().model).entry.fim_format
    assert found.how == "name"


# What follows from it


def test_a_model_that_is_known_to_follow_instructions_is_given_its_own_prompt_for_them():
    name = "GeorgiaTechResearchInstitute/starcoder-gpteacher-code-instruct"
    prepared = Prepared(None, FORMATS["causal"], settle=partial(settle_served, SERVED))
    model = settled(prepared, LoadedModel(name, "http://engine", 1000, None), never)
    assert (model.form.name, model.instruct) == ("starcoder", INSTRUCT_FORMATS["alpaca"])
    other = settled(prepared, LoadedModel("bigcode/starcoder", "http://engine", 1000, None), never)
    assert (other.form.name, other.instruct) == ("starcoder", None)
