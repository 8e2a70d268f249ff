"""Shared by all tests."""

from __future__ import annotations

import threading
from pathlib import Path

import hypothesis
import pytest

from lsp_server.backends.base import FinishReason, GenerationRequest, LoadedModel
from lsp_server.completion.fim import FORMATS
from lsp_server.completion.item import Usage
from lsp_server.engine.engine import Engine
from lsp_server.engine.job import Job
from lsp_server.models import embedded
from lsp_server.models.registry import REGISTRY
from lsp_server.settings import EMBEDDED_MODEL, Settings

PATIENCE_S = 20

# The same examples every time, and no example is judged by how long it took.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def embedded_gguf() -> Path:
    """The weights of the embedded model, fetched as the server fetches them if they are not there."""
    path = embedded.fetch(REGISTRY[EMBEDDED_MODEL], lambda _share: None, lambda: False)
    assert path is not None
    return path


class FakeBackend:
    """Gives out the pieces of a script; an Event in it is a gate, an exception is raised."""

    name = "fake"

    def __init__(self, script):
        self.script = script
        self.pulled = []
        self.closed = 0
        self.running = 0
        self.most_running = 0

    def load(self, on_progress):
        on_progress(0.5)
        return LoadedModel("fake model", "cpu", 1000, None)

    def generate(self, request, report):
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            for piece in self.script:
                if isinstance(piece, threading.Event):
                    assert piece.wait(PATIENCE_S)
                    continue
                if isinstance(piece, Exception):
                    raise piece
                self.pulled.append(piece)
                yield piece
            report.finish_reason = FinishReason.STOP
        finally:
            self.running -= 1
            report.usage = Usage(10, 4, len(self.pulled))

    def close(self):
        self.closed += 1


class Bench:
    """An engine whose backends are made from scripts, one after the other."""

    def __init__(self):
        self.now = 0.0
        self.scripts = []
        self.backends = []
        self.statuses = []
        self.engine = Engine(Settings(), self.make, lambda: self.now)
        self.engine.subscribe(self.statuses.append)

    def make(self, _settings, _on_progress, _gives_up):
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        if isinstance(script, Exception):
            raise script
        self.backends.append(FakeBackend(script))
        return self.backends[-1], FORMATS["causal"]

    @property
    def states(self):
        return [str(status.state) for status in self.statuses]


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.engine.close(PATIENCE_S)


@pytest.fixture
def job():
    def make(key="a", count=1, **more):
        return Job(key, lambda _model: (GenerationRequest("prompt"),) * count, **more)

    return make
