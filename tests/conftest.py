"""Shared by all tests."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

from lsp_server.backends.base import FinishReason, GenerationRequest, LoadedModel
from lsp_server.completion.fim import FORMATS
from lsp_server.completion.item import Usage
from lsp_server.engine.engine import Engine
from lsp_server.engine.job import Job, Prepared
from lsp_server.models import embedded
from lsp_server.models.registry import REGISTRY
from lsp_server.settings import EMBEDDED_MODEL, Settings

PATIENCE_S = 20

# The same examples every time, and no example is judged by how long it took.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def nothing_ends_the_run() -> Iterator[None]:
    """A command whose engine is stuck leaves its process at once: here, that is the process of all tests."""

    ours, leave_at_once = os.getpid(), os._exit

    def stay(exit_code: int) -> NoReturn:
        if os.getpid() != ours:  # a child that was forked off ends so
            leave_at_once(exit_code)
        message = f"the process of the tests would have been left at once, with exit code {exit_code}"
        pytest.fail(message)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "_exit", stay)
        yield


@pytest.fixture
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command waits for its model to end, however busy the machine is."""
    close = Engine.close
    monkeypatch.setattr(Engine, "close", lambda engine, timeout_s=60.0: close(engine, timeout_s))


@pytest.fixture(scope="session")
def embedded_gguf() -> Path:
    """The weights of the embedded model, fetched as the server fetches them if they are not there."""
    path = embedded.fetch(REGISTRY[EMBEDDED_MODEL], lambda _share: None, lambda: False)
    assert path is not None
    return path


@pytest.fixture(scope="session")
def embedded_base() -> Path:
    """What the embedded model is made of, fetched like it."""
    path = embedded.fetch_base(REGISTRY[EMBEDDED_MODEL], lambda _share: None, lambda: False)
    assert path is not None
    return path


@pytest.fixture(scope="session")
def vocabularies() -> Path:
    """A folder of vocabularies of real models beside the checkout; they are no part of the project."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "vocab"
    if not folder.is_dir():
        pytest.skip("the vocabularies of real models are not here")
    return folder


class FakeBackend:
    """Gives out the pieces of a script; an Event in it is a gate, an exception is raised."""

    name = "fake"

    def __init__(self, script):
        self.script = script
        self.pulled = []
        self.requests = []
        self.closed = 0
        self.running = 0
        self.most_running = 0

    def load(self, on_progress):
        on_progress(0.5)
        return LoadedModel("fake model", "cpu", 1000, None)

    def generate(self, request, report):
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        if request.text != "def":
            self.requests.append(request)
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
        self.instruct = None
        self.engine = Engine(Settings(), self.make, lambda: self.now)
        self.engine.subscribe(self.statuses.append)

    def make(self, _settings, _on_progress, _gives_up):
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        if isinstance(script, Exception):
            raise script
        self.backends.append(FakeBackend(script))
        return Prepared(self.backends[-1], FORMATS["causal"], self.instruct)

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


# -- a llama of two layers in a GGUF file, and an adapter for it

HIDDEN, HEADS, KEY_HEADS, FEED_FORWARD, RANK = 64, 4, 2, 96, 4
PROJECTIONS = {  # by name in a checkpoint: name in a GGUF file, rows, columns
    "self_attn.q_proj": ("attn_q", HIDDEN, HIDDEN),
    "self_attn.k_proj": ("attn_k", HIDDEN // 2, HIDDEN),
    "self_attn.v_proj": ("attn_v", HIDDEN // 2, HIDDEN),
    "self_attn.o_proj": ("attn_output", HIDDEN, HIDDEN),
    "mlp.gate_proj": ("ffn_gate", FEED_FORWARD, HIDDEN),
    "mlp.up_proj": ("ffn_up", FEED_FORWARD, HIDDEN),
    "mlp.down_proj": ("ffn_down", HIDDEN, FEED_FORWARD),
}
SENTINELS = [
    "<|endoftext|>",
    "<repo_name>",
    "<file_sep>",
    "<issue_start>",
    "<issue_comment>",
    "<issue_closed>",
]


@dataclass(frozen=True)
class SmallLlama:
    """Where the weights and the adapter of a llama of two layers are."""

    weights: Path
    adapter: Path


@pytest.fixture(scope="session")
def small_llama(tmp_path_factory) -> SmallLlama:
    """The first layer is stored in 4 bits, the second in 8, all that is left over in 32."""
    import numpy as np
    from gguf import GGMLQuantizationType, GGUFWriter
    from gguf.quants import quantize
    from safetensors.numpy import save_file

    folder, chance = tmp_path_factory.mktemp("small-llama"), np.random.default_rng(7)

    def matrix(*shape):  # of whole 512ths, so that each machine makes the same
        return chance.integers(-128, 128, shape).astype(np.float32) / np.float32(512)

    writer = GGUFWriter(folder / "small.gguf", "llama")
    for name, value in {
        "block_count": 2,
        "context_length": 128,
        "embedding_length": HIDDEN,
        "feed_forward_length": FEED_FORWARD,
        "attention.head_count": HEADS,
        "attention.head_count_kv": KEY_HEADS,
        "vocab_size": 32,
        "rope.dimension_count": HIDDEN // HEADS,
    }.items():
        writer.add_uint32(f"llama.{name}", value)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    writer.add_name("Small")
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([*SENTINELS, *(chr(ord("a") + place) for place in range(26))])
    writer.add_token_types([3] * len(SENTINELS) + [1] * 26)
    writer.add_eos_token_id(0)
    writer.add_tensor("token_embd.weight", matrix(32, HIDDEN))
    writer.add_tensor("output_norm.weight", matrix(HIDDEN) + 1)
    changes = {}
    for layer, kind in enumerate((GGMLQuantizationType.Q4_1, GGMLQuantizationType.Q8_0)):
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{norm}.weight", matrix(HIDDEN) + 1)
        for projection, (stored, rows, columns) in PROJECTIONS.items():
            writer.add_tensor(
                f"blk.{layer}.{stored}.weight", quantize(matrix(rows, columns), kind), raw_dtype=kind
            )
            name = f"base_model.model.model.layers.{layer}.{projection}"
            changes[f"{name}.lora_A.weight"] = matrix(RANK, columns).astype(np.float16)
            changes[f"{name}.lora_B.weight"] = matrix(rows, RANK).astype(np.float16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    adapter = folder / "adapter"
    adapter.mkdir()
    save_file(changes, adapter / "adapter_model.safetensors", {"format": "pt"})
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": 2 * RANK}
    config["target_modules"] = sorted(name.partition(".")[2] for name in PROJECTIONS)
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    return SmallLlama(folder / "small.gguf", adapter)
