"""A checkpoint that cannot fit is refused before any of it is fetched or read."""

import json

import pytest

from lsp_server.backends.room import Room
from lsp_server.engine import loading
from lsp_server.errors import ModelDamagedError, ModelLoadError
from lsp_server.settings import Settings

CONFIG = {
    "model_type": "llama",
    "hidden_size": 1024,
    "num_hidden_layers": 10,
    "num_attention_heads": 8,
    "intermediate_size": 4096,
    "vocab_size": 1000,
}


@pytest.fixture
def make(monkeypatch):
    """Prepares a model on a CPU with so much free memory, or with what cannot be told."""
    monkeypatch.setattr(loading, "is_fetched", lambda _name: True)

    def prepared(model, free):
        room = None if free is None else Room("float32", ("float32", "bfloat16"), {"cpu": free})
        monkeypatch.setattr(loading, "find_room", lambda _settings: room)
        settings = Settings(model=str(model), backend="transformers")
        return loading.make_backend(settings, lambda _share: None, lambda: False)

    return prepared


@pytest.fixture
def checkpoint(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    return folder


def test_a_known_model_of_the_hub_is_refused_before_it_is_fetched(make):
    with pytest.raises(ModelLoadError) as refused:
        make("bigcode/starcoder2-3b", 8 * 10**9)
    assert str(refused.value) == (
        "bigcode/starcoder2-3b in float32 takes about 12.2 GB of memory (12.1 GB for its weights "
        "and 39 MB for 640 tokens of context), but cpu has 8.0 GB free; dtype bfloat16 would fit."
    )


def test_a_folder_is_judged_by_its_configuration(make, checkpoint):
    assert make(checkpoint, 10**9).backend.name == "transformers"
    with pytest.raises(
        ModelLoadError, match=r"^mine in float32 takes about 732 MB .* dtype bfloat16 would fit"
    ):
        make(checkpoint, 5 * 10**8)


def test_a_configuration_that_cannot_be_read_is_one_sentence(make, checkpoint):
    (checkpoint / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelDamagedError, match=r"^The configuration of the model in .* cannot be read\.$"):
        make(checkpoint, 10**9)


def test_what_cannot_be_told_is_not_refused(make):
    assert make("bigcode/starcoder2-3b", None).backend.name == "transformers"
    assert make("somebody/something", 1).backend.name == "transformers"
