"""What a prefix-first model really reads while a user types, counted by the backend that keeps its cache."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server.backends.base import LoadedModel, Report
from lsp_server.backends.transformers import TransformersBackend
from lsp_server.completion.anchor import Anchors
from lsp_server.completion.context import counter
from lsp_server.completion.document import Document
from lsp_server.completion.formats import PREFIX, SUFFIX, FimFormat
from lsp_server.engine.job import Model
from lsp_server.engine.plan import plan_requests
from lsp_server.settings import Settings

FORM = FimFormat(
    "tiny", ("<fim_prefix>", PREFIX, "<mask_1>", SUFFIX, "<fim_middle>"), stops=("<|endoftext|>",)
)
SETTINGS = Settings(device="cpu", threads=1, max_new_tokens=2)
TYPED = (
    "def load_prices(prices, limit=4):\n    found = [price for price in prices]\n    return found[:limit]\n"
)


@pytest.fixture
def model(tiny_checkpoint: Path) -> Iterator[tuple[TransformersBackend, LoadedModel]]:
    backend = TransformersBackend(tiny_checkpoint, SETTINGS)
    yield backend, backend.load(lambda _share: None)
    backend.close()


@pytest.mark.parametrize("anchored", [True, False])
def test_a_typed_character_costs_a_prefix_first_model_few_tokens(
    model: tuple[TransformersBackend, LoadedModel], code: str, anchored: bool
) -> None:
    backend, loaded = model
    anchors = Anchors() if anchored else None
    half, read = code.index("\n\n\n", len(code) // 2) + 3, []
    for end in range(len(TYPED)):
        before = code[:half] + TYPED[:end]
        place = Document("file:///a.py", "python", before + "\n\n" + code[half:]).at_offset(len(before))
        plan = plan_requests(place, SETTINGS, lambda *_: None, multiline=False, candidates=1, anchors=anchors)
        for request in plan(Model(loaded, FORM, counter(None))):
            report = Report()
            list(backend.generate(request, report))
            read.append(report.usage.prompt_tokens - report.usage.cached_tokens)
    if anchored:
        assert statistics.median(read[1:]) <= 4
    else:
        assert statistics.median(read[1:]) > 50
