"""The real server as a process of its own, and a client that speaks JSON-RPC by hand.

By hand, so that it can also send what no well-behaved client would, and notices every byte too many.
"""

import asyncio
import itertools
import json
import os
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

PATIENCE_S = 60
ROOT = Path(__file__).parents[2]
GHOSTS = {"textDocument": {"inlineCompletion": {}}}


class Client:
    """One client; subclasses know how to send and receive a body."""

    def __init__(self):
        self.replies = {}
        self.replied = Counter()
        self.received = []
        self.refusals = asyncio.Queue()
        self.answers = {}
        self._ids = itertools.count(1)
        self._arrived = asyncio.Condition()
        self._listener = None

    def listen(self):
        self._listener = asyncio.create_task(self._listen())

    async def _listen(self):
        while (body := await self.receive_body()) is not None:
            await self._take(json.loads(body))

    async def _take(self, message):
        if "method" not in message:
            self._take_reply(message)
        elif "id" in message:
            await self.send(id=message["id"], **self._answer(message))
        async with self._arrived:
            self.received.append(message)
            self._arrived.notify_all()

    def _take_reply(self, message):
        if message["id"] is None:
            self.refusals.put_nowait(message["error"]["code"])
            return
        self.replied[message["id"]] += 1
        assert self.replied[message["id"]] == 1, "a second reply to one request"
        self.replies[message["id"]].set_result(message)

    def _answer(self, message):
        if message["method"] in self.answers:
            return {"result": self.answers[message["method"]]}
        return {"error": {"code": -32601, "message": "not in this test"}}

    async def send(self, **message):
        await self.send_body(json.dumps({"jsonrpc": "2.0", **message}).encode())

    async def notify(self, method, params=None):
        await self.send(method=method, params=params)

    async def begin(self, method, params=None):
        """Send a request; returns its id and the future of its reply."""
        msg_id = next(self._ids)
        self.replies[msg_id] = asyncio.get_running_loop().create_future()
        await self.send(id=msg_id, method=method, params=params)
        return msg_id, self.replies[msg_id]

    async def reply(self, method, params=None):
        """Send a request and wait for its reply, result or error."""
        _, reply = await self.begin(method, params)
        return await asyncio.wait_for(reply, PATIENCE_S)

    async def request(self, method, params=None):
        """Send a request and wait for its result."""
        return (await self.reply(method, params))["result"]

    async def until(self, found):
        """Wait for something that the server says of its own accord; returns the first that fits."""
        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(lambda: any(map(found, self.received))), PATIENCE_S)
            return next(filter(found, self.received))

    async def ready(self):
        """Wait until the model is loaded."""
        await self.until(lambda message: status(message) in ("ready", "off"))

    async def initialize(self, options=None, capabilities=None, **more):
        params = {
            "processId": None,
            "rootUri": None,
            "capabilities": GHOSTS if capabilities is None else capabilities,
            "initializationOptions": options,
            **more,
        }
        result = await self.request("initialize", params)
        await self.notify("initialized", {})
        return result

    async def open(self, text, uri="file:///project/a.py", version=1):
        document = {"uri": uri, "languageId": "python", "version": version, "text": text}
        await self.notify("textDocument/didOpen", {"textDocument": document})

    async def change(self, *changes, uri="file:///project/a.py", version=2):
        params = {"textDocument": {"uri": uri, "version": version}, "contentChanges": list(changes)}
        await self.notify("textDocument/didChange", params)

    async def ghost(self, line, character, uri="file:///project/a.py"):
        """The first suggestion's text, None for none."""
        result = await self.request("textDocument/inlineCompletion", place(line, character, uri))
        return result["items"][0]["insertText"] if result and result["items"] else None

    async def execute(self, command, *arguments):
        params = {"command": command, "arguments": list(arguments)}
        return await self.request("workspace/executeCommand", params)


class StreamClient(Client):
    """A client over a stream with ``Content-Length`` frames; anything else in it is a failure."""

    def __init__(self, reader, writer):
        super().__init__()
        self._reader = reader
        self.writer = writer

    async def send_body(self, body):
        await self.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    async def send_bytes(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def receive_body(self):
        length = None
        while line := await self._reader.readline():
            name, _, value = line.partition(b":")
            assert line == b"\r\n" or name in (b"Content-Length", b"Content-Type"), line
            if name == b"Content-Length":
                length = int(value)
            elif line == b"\r\n":
                return await self._reader.readexactly(length)
        return None

    async def hear_the_end(self):
        """Wait until the server has said its last word."""
        await asyncio.wait_for(self._listener, PATIENCE_S)


class StdioClient(StreamClient):
    """A client that started the server itself."""

    def __init__(self, process, log):
        super().__init__(process.stdout, process.stdin)
        self.process = process
        self._log = log

    @property
    def log(self):
        return self._log.read_text()

    async def exit_code(self):
        """Wait until the process is gone and all it said was heard."""
        await self.hear_the_end()
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)


class SocketClient(Client):
    """A client over WebSocket, as a page in a browser would be one."""

    def __init__(self, connection):
        super().__init__()
        self.connection = connection

    async def send_body(self, body):
        await self.connection.send(body.decode())

    async def receive_body(self):
        from websockets.exceptions import ConnectionClosed

        try:
            frame = await self.connection.recv()
        except ConnectionClosed:
            return None
        assert isinstance(frame, str), "a binary frame"
        return frame


def status(message):
    """The state in a status notification, None for any other message."""
    return message["params"]["state"] if message.get("method") == "fim-ls/status" else None


def place(line, character, uri="file:///project/a.py"):
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 1},
    }


@pytest.fixture(name="place")
def _place():
    return place


@pytest.fixture(name="status")
def _status():
    return status


@pytest.fixture
def environment(tmp_path):
    """An environment without the user's own settings and models."""
    home = {name: str(tmp_path / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    return {**os.environ, **home, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}


@pytest.fixture
async def launch(tmp_path, environment):
    """Start ``fim-ls serve`` with some arguments and the script of its echo backend."""
    processes = []

    async def launch(*arguments, echo=None, log_level="warning", before=(), **more):
        log = (tmp_path / f"log-{len(processes)}").open("wb")
        command = [sys.executable, *before, "-m", "lsp_server", "serve", "--log-level", log_level, *arguments]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            cwd=tmp_path,
            env={**environment, "FIM_LS_ECHO": json.dumps(echo or {"text": "a + b"}), **more},
        )
        log.close()
        processes.append(process)
        return process, Path(log.name)

    yield launch
    for process in processes:
        if process.returncode is None:
            process.kill()
        process.stdin.close()
        await process.wait()
        process._transport.close()


@pytest.fixture
async def start(launch):
    """Start a server over standard input and output; returns its client."""
    clients = []

    async def start(*arguments, backend="echo", **more):
        process, log = await launch("--stdio", "--backend", backend, *arguments, **more)
        client = StdioClient(process, log)
        client.listen()
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.writer.close()
        await client.exit_code()


@pytest.fixture
async def listening(launch):
    """Start a server that listens; returns its port."""

    async def listening(transport, **more):
        process, log = await launch(transport, "0", "--backend", "echo", **more)
        async with asyncio.timeout(PATIENCE_S):
            while not (found := re.search(r"listens on \w+://127\.0\.0\.1:(\d+)", log.read_text())):
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.01)
        return int(found.group(1))

    return listening


@pytest.fixture
async def tcp(listening):
    """Connect clients over TCP to one server."""
    clients = []
    port = await listening("--tcp")

    async def connect():
        client = StreamClient(*await asyncio.open_connection("127.0.0.1", port))
        client.listen()
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.writer.close()
        await client.hear_the_end()


@pytest.fixture
async def websocket(listening):
    """Connect clients over WebSocket to one server."""
    from websockets.asyncio.client import connect as connect_to

    clients = []
    port = await listening("--ws")

    async def connect(**more):
        client = SocketClient(await connect_to(f"ws://127.0.0.1:{port}", **more))
        client.listen()
        clients.append(client)
        return client

    yield connect
    for client in clients:
        await client.connection.close()
        await client._listener
