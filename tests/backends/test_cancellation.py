"""Once a generation is closed one further token is decoded at most: counted in the engine itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp_server.backends.base import Backend, FinishReason, GenerationRequest, Report, SamplingParams
from lsp_server.backends.echo import EchoBackend, Script
from lsp_server.backends.llama_cpp import LlamaCppBackend
from lsp_server.backends.transformers import TransformersBackend
from lsp_server.engine.handoff import pull
from lsp_server.models import gguf
from lsp_server.models.tokenizer import GgufTokenizer
from lsp_server.settings import Settings

PROMPT = "def add(a, b):\n    return"
PULLED = 4
TRIES = 5
"""llama.cpp's engine does not wait for whoever pulls: on a busy machine it may be ahead when it is left."""

Decoded = Callable[[], int]
"""How many tokens the engine has decoded so far; or how many passes it made, where it is driven by those."""
Watched = tuple[Backend, Decoded]


class Counter:
    """Counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, *_arguments: Any) -> None:
        self.calls += 1


class LlamaCppWithMetrics(LlamaCppBackend):
    """The same, with the engine's own counters."""

    def _params(self, xllamacpp: Any) -> Any:
        params = super()._params(xllamacpp)
        params.endpoint_metrics = True
        return params

    def decoded(self) -> int:
        """Tokens that were written; a task behind it has the engine count a generation that was left."""
        self._server.handle_completions({"prompt": "a", "max_tokens": 1})
        counters = re.search(r"tokens_predicted_total (\d+)", self._server.handle_metrics())
        assert counters is not None
        self._probes = getattr(self, "_probes", 0) + 1
        return int(counters[1]) - self._probes


@pytest.fixture
def embedded(embedded_gguf: Path) -> tuple[Path, GgufTokenizer]:
    """The embedded model's file, and its tokenizer."""
    return embedded_gguf, GgufTokenizer(gguf.read(embedded_gguf))


@pytest.fixture
def echo() -> Watched:
    gate = Counter()
    return EchoBackend(Script(" a" * 200), gate), lambda: gate.calls


@pytest.fixture
def transformers(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    backend = TransformersBackend(tiny_checkpoint, Settings(device="cpu", threads=1))
    load, passed = backend._model, Counter()

    def watched() -> Any:
        model = load()
        model.register_forward_hook(passed)
        return model

    monkeypatch.setattr(backend, "_model", watched)
    return backend, lambda: passed.calls


@pytest.fixture
def ik_llama(embedded: tuple[Path, GgufTokenizer], monkeypatch: pytest.MonkeyPatch) -> Watched:
    from lsp_server.backends.ik_context import IkContext
    from lsp_server.backends.ik_llama import IkLlamaBackend, runs_here

    if not runs_here():
        pytest.skip("ik_llama.cpp is not made for this machine")
    read, passed = IkContext.read, Counter()

    def watched(*arguments: Any, **named: Any) -> Any:
        passed()
        return read(*arguments, **named)

    monkeypatch.setattr(IkContext, "read", watched)
    return IkLlamaBackend(*embedded, Settings()), lambda: passed.calls


@pytest.fixture
def llama_cpp(embedded: tuple[Path, GgufTokenizer]) -> Watched:
    backend = LlamaCppWithMetrics(*embedded, Settings(), pull)
    return backend, backend.decoded


def pulled_and_closed(backend: Backend, tokenizer: Any) -> Report:
    """Take a few pieces of a generation that would have many, and leave it."""
    report, ids = Report(), tuple(tokenizer.encode(PROMPT))
    pieces = backend.generate(GenerationRequest(PROMPT, ids, sampling=SamplingParams(200)), report)
    for _ in range(PULLED):
        next(pieces)
    pieces.close()
    return report


@pytest.mark.parametrize(
    "watched",
    [
        "echo",
        "transformers",
        pytest.param("ik_llama", marks=pytest.mark.model),
        pytest.param("llama_cpp", marks=pytest.mark.model),
    ],
)
def test_of_a_closed_generation_one_further_token_is_decoded_at_most(
    watched: str, request: pytest.FixtureRequest
) -> None:
    backend, decoded = request.getfixturevalue(watched)
    model = backend.load(lambda _share: None)
    further = []
    for _ in range(TRIES):
        before = decoded()
        report = pulled_and_closed(backend, model.tokenizer)
        assert report.finish_reason == FinishReason.CLOSED
        assert 1 <= report.usage.completion_tokens <= PULLED
        further.append(decoded() - before - report.usage.completion_tokens)
    assert min(further) <= 1
    backend.close()
