from __future__ import annotations

import logging

import pytest

from lsp_server.backends.base import GenerationRequest, Report
from lsp_server.backends.echo import EchoBackend, Script
from lsp_server.engine import loading
from lsp_server.engine.fallback import FirstThatLoads
from lsp_server.errors import ModelLoadError
from lsp_server.settings import Settings


class Refusing(EchoBackend):
    name = "refusing"

    def load(self, on_progress):
        raise ModelLoadError("The architecture is unknown.")


def test_the_second_backend_serves_what_the_first_cannot_load(caplog):
    backend = FirstThatLoads(Refusing(), EchoBackend(Script("text")))
    with caplog.at_level(logging.WARNING):
        backend.load(lambda _share: None)
    assert backend.name == "echo"
    assert "".join(backend.generate(GenerationRequest("a"), Report())) == "text"
    assert caplog.messages == ["The architecture is unknown. The backend echo is used instead."]


def test_the_first_backend_serves_if_it_can():
    backend = FirstThatLoads(EchoBackend(Script("text")), Refusing())
    backend.load(lambda _share: None)
    assert backend.name == "echo"


def test_if_neither_loads_the_last_sentence_is_told():
    with pytest.raises(ModelLoadError, match="architecture"):
        FirstThatLoads(Refusing(), Refusing()).load(lambda _share: None)


@pytest.mark.parametrize(
    ("device", "accelerated", "runs", "expected"),
    [
        ("auto", False, True, "ik_llama"),
        ("auto", True, True, "llama_cpp"),
        ("cpu", True, True, "ik_llama"),
        ("cuda", False, True, "llama_cpp"),
        ("auto", False, False, "llama_cpp"),
    ],
)
def test_the_faster_backend_is_chosen_on_a_plain_cpu(device, accelerated, runs, expected, monkeypatch):
    monkeypatch.setattr(loading, "finds_accelerator", lambda: accelerated)
    monkeypatch.setattr(loading.ik_llama, "runs_here", lambda: runs)
    assert loading.choose_backend(Settings(device=device)) == expected
