"""llama.cpp's own ``/infill`` works with the file that a merge gives.

That the answer is a good one takes ``--spm-infill``, which its own server has and these bindings do not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from safetensors.numpy import save_file

from lsp_server.models.merge import merge

pytestmark = pytest.mark.model

QUESTION = {
    "input_prefix": "def add(a, b):\n    return",
    "input_suffix": "\n\n\nprint(add(1, 2))\n",
    "n_predict": 8,
    "temperature": 0,
}


@pytest.fixture(scope="module")
def merged(embedded_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base with an adapter that changes nothing: it is the sentinels that count here."""
    folder = tmp_path_factory.mktemp("infill")
    name = "base_model.model.model.layers.0.self_attn.v_proj"
    save_file(
        {
            f"{name}.lora_A.weight": np.ones((1, 576), np.float16),
            f"{name}.lora_B.weight": np.zeros((192, 1), np.float16),
        },
        folder / "adapter_model.safetensors",
    )
    (folder / "adapter_config.json").write_text(json.dumps({"r": 1, "lora_alpha": 1}))
    for _share in merge(embedded_base, folder, folder / "merged.gguf", "Q8_0"):
        pass
    return folder / "merged.gguf"


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


def test_the_merged_model_fills_in(merged: Path) -> None:
    with engine(merged) as client:
        answer = client.post("/infill", json=QUESTION)
    assert answer.status_code == 200
    assert answer.json()["content"]


def test_the_base_does_not(embedded_base: Path) -> None:
    with engine(embedded_base) as client:
        assert client.post("/infill", json=QUESTION).status_code == 501
