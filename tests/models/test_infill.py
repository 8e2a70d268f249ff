"""llama.cpp's own ``/infill`` works with the embedded model, in the order that it has by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.model

QUESTION = {
    "input_prefix": "def add(a, b):\n    return",
    "input_suffix": "\n\n\nprint(add(1, 2))\n",
    "n_predict": 8,
    "temperature": 0,
}


@contextmanager
def engine(path: Path) -> Iterator[httpx.Client]:
    import xllamacpp

    params: Any = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.verbosity, params.warmup = 512, 1, -1, False
    server = xllamacpp.Server(params)
    with httpx.Client(base_url=server.listening_address, timeout=60) as client:
        yield client
    del server


def test_the_embedded_model_fills_in(embedded_gguf: Path) -> None:
    with engine(embedded_gguf) as client:
        answer = client.post("/infill", json=QUESTION)
    assert answer.status_code == 200
    assert answer.json()["content"].strip() == "a + b"


def test_the_base_does_not(embedded_base: Path) -> None:
    with engine(embedded_base) as client:
        assert client.post("/infill", json=QUESTION).status_code == 501
