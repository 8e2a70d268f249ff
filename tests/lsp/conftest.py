"""A server without a process, a transport or a model: messages go in and out as dictionaries."""

import asyncio
import itertools
import json
import logging

import pytest

from lsp_server.completion.acceptance import Statistics
from lsp_server.completion.item import Completion, Stage, Suggestion
from lsp_server.engine.job import Outcome, State, Status
from lsp_server.lsp.discretion import keep_discreet
from lsp_server.lsp.options import Layers
from lsp_server.lsp.server import new_server
from lsp_server.settings import Settings

URI = "file:///project/a.py"


class FakeCompleter:
    """Answers with what it is given; a gate, if there is one, holds it back."""

    def __init__(self):
        self.settings = Settings()
        self.statistics = Statistics(shown=3, accepted=2, accepted_in_part=40)
        self.answer = Completion((Suggestion("a + b"),), id="c1", stages=(Stage("end", "stop"),))
        self.gate = None
        self.asked = []
        self.rests = []
        self.forgotten = []
        self.changes = []
        self.keys = 0
        self.cancelled = 0
        self.started = 0
        self.stopped = 0
        self.last = {}
        self.status = Status(State.READY, "fake model", "cpu")
        self.listeners = []
        self.outcome = Outcome(("The answer.",))
        self.said = ["The ", "The answer."]
        self.tasks = []
        self.on_text = None

    def configure(self, settings):
        self.settings = settings

    async def complete(self, snapshot, ask):
        self.asked.append((snapshot, ask))
        await self._pass_gate()
        self.last[snapshot.document.uri] = self.answer
        return self.answer

    async def instruct(self, task, on_text):
        self.tasks.append(task)
        self.on_text = on_text
        for text in self.said:
            on_text(text)
        await self._pass_gate()
        return self.outcome

    async def _pass_gate(self):
        try:
            if self.gate is not None:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def explain(self, uri):
        return self.last.get(uri)

    def forget(self, uri):
        self.forgotten.append(uri)

    def changed(self, uri, document, *, is_key=False):
        self.changes.append((uri, document().text))
        self.keys += is_key

    def rests_at(self, place):
        self.rests.append((place.document.uri, place.offset))

    def subscribe(self, listener):
        self.listeners.append(listener)
        listener(self.status)
        return lambda: self.listeners.remove(listener)

    def publish(self, status):
        self.status = status
        for listener in tuple(self.listeners):
            listener(status)

    async def start(self):
        self.started += 1

    async def stop(self):
        self.stopped += 1


class Wire:
    """The editor's end of the wire."""

    def __init__(self, completer, layers):
        self.completer = completer
        self.server = new_server(lambda: completer, layers)
        self.server.protocol.set_writer(self, include_headers=False)
        self.received = []
        self._ids = itertools.count(1)

    def write(self, data):
        self.received.append(json.loads(data))

    def close(self):
        pass

    async def send_raw(self, body):
        self.server.protocol.receive(body)
        await self.settle()

    async def send(self, **message):
        await self.send_raw(json.dumps({"jsonrpc": "2.0", **message}).encode())

    async def settle(self):
        for _ in range(10):
            await asyncio.sleep(0)

    async def notify(self, method, params=None):
        await self.send(method=method, params=params)

    async def begin(self, method, params=None):
        """Send a request without waiting for its reply; returns its id."""
        msg_id = next(self._ids)
        await self.send(id=msg_id, method=method, params=params)
        return msg_id

    async def request(self, method, params=None):
        """Send a request; returns its one reply."""
        return self.reply(await self.begin(method, params))

    async def answer(self, method, result):
        """Answer the last request that the server made of this method."""
        await self.send(id=self.sent(method)[-1]["id"], result=result)

    def reply(self, msg_id):
        (reply,) = [each for each in self.received if each.get("id") == msg_id and "method" not in each]
        return reply

    def sent(self, method):
        """What the server sent of its own accord."""
        return [each for each in self.received if each.get("method") == method]

    def messages(self):
        """Kind and sentence of what was shown to the user."""
        return [
            (each["params"]["type"], each["params"]["message"]) for each in self.sent("window/showMessage")
        ]

    def states(self):
        """The states that were told, in order."""
        return [each["params"]["state"] for each in self.sent("fim-ls/status")]

    async def initialize(self, options=None, name="a test", **capabilities):
        params = {
            "processId": None,
            "rootUri": None,
            "clientInfo": {"name": name},
            "capabilities": capabilities,
            "initializationOptions": options,
        }
        reply = await self.request("initialize", params)
        await self.notify("initialized", {})
        return reply["result"]["capabilities"]

    async def open(self, text, uri=URI, language="python", version=1):
        document = {"uri": uri, "languageId": language, "version": version, "text": text}
        await self.notify("textDocument/didOpen", {"textDocument": document})

    async def change(self, *changes, uri=URI, version=2):
        params = {"textDocument": {"uri": uri, "version": version}, "contentChanges": list(changes)}
        await self.notify("textDocument/didChange", params)

    async def ask(self, line=0, character=0, uri=URI, trigger=1, selected=None):
        """Ask for ghost text; returns the id of the request."""
        context = {"triggerKind": trigger, "selectedCompletionInfo": selected}
        place = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
        return await self.begin("textDocument/inlineCompletion", {**place, "context": context})

    async def ghost(self, *args, **kwargs):
        """Ask for ghost text; returns the items, None for none."""
        result = self.reply(await self.ask(*args, **kwargs))["result"]
        return None if result is None else result["items"]

    async def complete(self, line=0, character=0, uri=URI):
        place = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
        return (await self.request("textDocument/completion", place))["result"]

    async def execute(self, command, *arguments):
        params = {"command": command, "arguments": list(arguments)}
        return (await self.request("workspace/executeCommand", params))["result"]

    def seen(self):
        """The document and the cursor as the completer saw them last, drawn."""
        snapshot, _ = self.completer.asked[-1]
        return f"{snapshot.prefix}|{snapshot.suffix}"


@pytest.fixture
def completer():
    return FakeCompleter()


@pytest.fixture
def layers():
    return Layers()


@pytest.fixture
def discreet(monkeypatch):
    """The log as it is while the server runs."""
    pygls = logging.getLogger("pygls")
    for name in ("level", "propagate", "handlers"):
        monkeypatch.setattr(pygls, name, getattr(pygls, name))
    keep_discreet()


@pytest.fixture
async def wire(completer, layers, discreet):
    wire = Wire(completer, layers)
    yield wire
    await wire.server.close()
    await wire.settle()
