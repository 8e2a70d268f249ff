"""A checkpoint of each architecture, named by its path, is known, and writes what it learnt.

It stops on its own token; in the terminal as in an editor.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lsp_server import cli
from lsp_server.completer import Completer
from lsp_server.engine.engine import Engine
from lsp_server.lsp.options import Layers
from lsp_server.lsp.server import new_server
from lsp_server.settings import Settings

Learnt = Any
"""What the fixture ``learnt`` gives."""


@pytest.mark.parametrize("example", ["fib", "hello"])
def test_it_completes_in_the_terminal(
    learnt: Learnt, example: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(
        ["complete", learnt.places[example], "--model", str(learnt.checkpoint), "--device", "cpu", "--json"]
    )
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    assert code == 0
    assert answer["text"] == learnt.middles[example]
    assert (answer["backend"], answer["finish_reason"]) == ("transformers", "stop")
    assert answer["usage"]["completion_tokens"] == learnt.tokens[example], "it ends at its stop token"
    assert printed.err == ""


class Editor:
    """The editor's end of the wire, and a server with a real engine at the other."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        layers = Layers(command_line={"model": settings.model, "device": settings.device})
        self.server = new_server(lambda: Completer(engine, settings), layers)
        self.server.protocol.set_writer(self, include_headers=False)
        self.told: dict[str, Any] = {}
        self._replies: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._ids = itertools.count(1)

    def write(self, data: bytes) -> None:
        message = json.loads(data)
        if message.get("method") == "fim-ls/status":
            self.told = message["params"]
        elif "method" not in message:
            self._replies.put_nowait(message)

    def close(self) -> None:
        """Nothing is left open here."""

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self._send(method=method, params=params)

    async def request(self, method: str, params: dict[str, Any]) -> Any:
        self._send(id=next(self._ids), method=method, params=params)
        return (await self._replies.get())["result"]

    def _send(self, **message: Any) -> None:
        self.server.protocol.receive(json.dumps({"jsonrpc": "2.0", **message}).encode())


@pytest.fixture
async def editor(learnt: Learnt) -> AsyncIterator[Editor]:
    settings = Settings(model=str(learnt.checkpoint), device="cpu")
    engine = Engine(settings)
    editor = Editor(engine, settings)
    await editor.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    editor.notify("initialized", {})
    yield editor
    await editor.server.close()
    assert engine.close(20)


@pytest.mark.parametrize("example", ["fib", "hello"])
async def test_it_completes_in_an_editor(learnt: Learnt, editor: Editor, example: str) -> None:
    path, line, column = learnt.places[example].rsplit(":", 2)
    uri, text = Path(path).as_uri(), Path(path).read_text(encoding="utf-8")
    document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    editor.notify("textDocument/didOpen", {"textDocument": document})
    place = {"textDocument": {"uri": uri}, "position": {"line": int(line) - 1, "character": int(column) - 1}}
    asked = {**place, "context": {"triggerKind": 1}}
    answer = await editor.request("textDocument/inlineCompletion", asked)
    assert [item["insertText"] for item in answer["items"]][:1] == [learnt.middles[example]]
    item, typed, at = answer["items"][0], text.split("\n")[int(line) - 1], int(column) - 1
    start, end = (item["range"][side]["character"] for side in ("start", "end"))
    assert (
        typed[:start] + item["insertText"] + typed[end:] == typed[:at] + learnt.middles[example] + typed[at:]
    )
    told = editor.told["format"]
    assert told["name"] == learnt.family.form
    assert told["knownBy"] == ("probe" if learnt.family.is_tried else "config")
    assert told["reason"].startswith(learnt.checkpoint.name)
