"""A tiny checkpoint, an HTTP engine that plays a script, and the backends that speak the contract."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lsp_server.backends.base import Backend, GenerationRequest, LoadedModel, Report, SamplingParams
from lsp_server.backends.echo import EchoBackend, Script
from lsp_server.backends.openai import OpenAiBackend
from lsp_server.backends.transformers import TransformersBackend
from lsp_server.settings import OpenAiSettings, Settings

TEXT = "a + b\n\n\ndef mul(a, b):\n    return a * b\n"
"""What echoes and scripted engines write."""


@pytest.fixture(scope="session")
def code() -> str:
    """Some Python to train a tokenizer on and to cut prompts from, the same on every machine."""
    things, verbs = ("order", "user", "price", "row", "token"), ("load", "sort", "merge", "check", "print")
    return "".join(
        f"def {verb}_{thing}s({thing}s, limit={2 * at + len(verb)}):\n"
        f'    """{verb.capitalize()} at most ``limit`` of the {thing}s."""\n'
        f"    found = [{thing} for {thing} in {thing}s if {thing}.{verb}ed]\n"
        f"    if len(found) > limit:\n        raise ValueError(f'too many: {{len(found)}}')\n"
        f"    return found[:limit]\n\n\n"
        for at, thing in enumerate(things)
        for verb in verbs
    )


@pytest.fixture(scope="session")
def tiny_tokenizer(code: str) -> Any:
    """A byte-level tokenizer with sentinels, one of them not declared special, and a run of blanks."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>", "<fim_prefix>", "<fim_middle>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(code.splitlines(keepends=True), trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|endoftext|>", eos_token="<|endoftext|>"
    )
    fast.add_tokens(["<mask_1>", " " * 16])
    return fast


def _save(model: Any, tokenizer: Any, directory: Path) -> Path:
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def tiny_model(tiny_tokenizer: Any) -> Any:
    """A Llama of two layers with random weights, large enough that greedy text is not monotonous."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tiny_tokenizer) + 5,  # embeddings are often padded beyond the vocabulary
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=1024,
            initializer_range=0.6,
            bos_token_id=0,
            eos_token_id=0,
        )
    ).eval()


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_model: Any, tiny_tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model and its tokenizer as files."""
    return _save(tiny_model, tiny_tokenizer, tmp_path_factory.mktemp("tiny"))


@dataclass
class ScriptedEngine:
    """An HTTP engine on a loopback port; each attribute is one thing that it can do wrong.

    Attributes:
        words: what a completion streams, one event each.
        usage: sent with the last event where the client asks for it, unless None.
        status, content_type, body: answered to a completion in place of a stream, if a body is set.
        lines: sent in place of the events.
        dies_after: how many events are sent before the connection is cut.
        silent: whether it never answers, and only waits for the client to leave.
        models: what ``/models`` lists; None for HTTP 404.
        refuses: names of fields of the request that it does not know and answers with HTTP 400.
        key: what a client must show.
    """

    words: list[str] = field(default_factory=lambda: re.findall(r"\s*\w+|\W", TEXT))
    usage: dict[str, Any] | None = field(default_factory=lambda: {"prompt_tokens": 5, "completion_tokens": 3})
    status: int = 200
    content_type: str = "text/event-stream"
    body: str = ""
    lines: list[str] | None = None
    dies_after: int | None = None
    silent: bool = False
    endless: bool = False
    models: list[dict[str, Any]] | None = field(default_factory=lambda: [{"id": "coder"}])
    refuses: tuple[str, ...] = ()
    key: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    base_url: str = ""


class _Handler(BaseHTTPRequestHandler):
    engine: ScriptedEngine
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.engine.key and self.headers["Authorization"] != f"Bearer {self.engine.key}":
            self._reply(401, json.dumps({"error": {"message": f"wrong key {self.headers['Authorization']}"}}))
        elif self.engine.models is None:
            self._reply(404, "<html>nothing here</html>", "text/html")
        else:
            self._reply(200, json.dumps({"object": "list", "data": self.engine.models}))

    def do_POST(self) -> None:
        engine = self.engine
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        engine.requests.append(request)
        engine.asked.set()
        refused = [name for name in engine.refuses if name in request]
        if engine.silent:
            self._wait_for_the_client_to_leave()
        elif refused:
            self._reply(400, json.dumps({"error": {"message": f"unknown field {refused[0]}"}}))
        elif engine.body:
            self._reply(engine.status, engine.body, engine.content_type)
        else:
            self._stream(request)

    def _stream(self, request: dict[str, Any]) -> None:
        self._head(200, "text/event-stream")
        lines = self._events(request) if self.engine.lines is None else self.engine.lines
        for line in lines[: self.engine.dies_after]:
            self._send(line)
        while self.engine.endless and not self.engine.left.is_set():
            self._send(_event("x"))
        if self.engine.dies_after is None and not self.engine.left.is_set():
            self._write(b"0\r\n\r\n")
        else:
            self.close_connection = True

    def _events(self, request: dict[str, Any]) -> list[str]:
        limit = request["max_tokens"]
        events = [_event(word) for word in self.engine.words[:limit]]
        events.append(_event("", "length" if len(self.engine.words) > limit else "stop"))
        if "stream_options" in request and self.engine.usage is not None:
            events.append(json.dumps({"choices": [], "usage": self.engine.usage}))
        return [": a comment", "", *(f"data: {event}\n" for event in events), "data: [DONE]", ""]

    def _send(self, line: str) -> None:
        data = f"{line}\n".encode()
        self._write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _write(self, data: bytes) -> None:
        try:
            self.wfile.write(data)
        except OSError:
            self.engine.left.set()

    def _wait_for_the_client_to_leave(self) -> None:
        if self.rfile.read(1) == b"":
            self.engine.left.set()
        self.close_connection = True

    def _head(self, status: int, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _reply(self, status: int, body: str, content_type: str = "application/json") -> None:
        self._head(status, content_type)
        self._send(body)
        self._write(b"0\r\n\r\n")

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def _event(text: str, finish_reason: str | None = None) -> str:
    return json.dumps({"choices": [{"index": 0, "text": text, "finish_reason": finish_reason}]})


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_args: object) -> None:
        """Clients that leave in the middle are what the tests are about."""


@pytest.fixture
def engine() -> Iterator[ScriptedEngine]:
    """A scripted engine that runs."""
    scripted = ScriptedEngine()
    handler = type("Handler", (_Handler,), {"engine": scripted})
    server = _Server(("127.0.0.1", 0), handler)
    scripted.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield scripted
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True)
class Spoken:
    """What a generation came to."""

    text: str
    report: Report
    pieces: tuple[str, ...]


@dataclass
class Contender:
    """A loaded backend under test."""

    backend: Backend
    model: LoadedModel

    def request(self, text: str, *, healed: str = "", **sampling: Any) -> GenerationRequest:
        """A request for a prompt, tokenised if the backend has a tokenizer."""
        tokenizer = self.model.tokenizer
        return GenerationRequest(
            text=text,
            ids=None if tokenizer is None else tuple(tokenizer.encode(text)),
            healed=healed,
            sampling=SamplingParams(**{"max_new_tokens": 8, **sampling}),
        )

    def run(self, request: GenerationRequest) -> Spoken:
        """Generate to the end."""
        report = Report()
        pieces = tuple(self.backend.generate(request, report))
        return Spoken("".join(pieces), report, pieces)


MakeBackend = Callable[[], Backend]


GGUF = [pytest.param(name, marks=pytest.mark.model) for name in ("llama_cpp", "ik_llama")]


@pytest.fixture(params=["echo", "transformers", "openai", *GGUF])
def backend_factory(request: pytest.FixtureRequest) -> MakeBackend:
    """Makes a backend, not yet loaded."""
    if request.param == "echo":
        return lambda: EchoBackend(Script(TEXT))
    if request.param == "transformers":
        return lambda: TransformersBackend(
            request.getfixturevalue("tiny_checkpoint"), Settings(device="cpu", threads=1)
        )
    if request.param == "openai":
        base_url = request.getfixturevalue("engine").base_url
        return lambda: OpenAiBackend(Settings(openai=OpenAiSettings(base_url=base_url)))
    return lambda: _of_gguf(request.param, request.getfixturevalue("embedded_gguf"))


def _of_gguf(name: str, path: Path) -> Backend:
    from lsp_server.backends.ik_llama import IkLlamaBackend, runs_here
    from lsp_server.backends.llama_cpp import LlamaCppBackend
    from lsp_server.engine.handoff import pull
    from lsp_server.models import gguf
    from lsp_server.models.tokenizer import GgufTokenizer

    tokenizer = GgufTokenizer(gguf.read(path))
    if name == "llama_cpp":
        return LlamaCppBackend(path, tokenizer, Settings(), pull)
    if not runs_here():
        pytest.skip("ik_llama.cpp is not made for this machine")
    return IkLlamaBackend(path, tokenizer, Settings())


@pytest.fixture
def contender(backend_factory: MakeBackend) -> Iterator[Contender]:
    """Each backend in turn, loaded."""
    backend = backend_factory()
    yield Contender(backend, backend.load(lambda _share: None))
    backend.close()
