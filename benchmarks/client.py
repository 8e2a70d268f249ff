"""A language client as small as can be, for measuring a server process over stdio."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

FIM_LS = (sys.executable, "-m", "lsp_server", "serve", "--stdio")
CAPABILITIES = {"textDocument": {"inlineCompletion": {"dynamicRegistration": False}}}


def resident_mb(process_id: int) -> float:
    """Resident memory of a process, in MB; Linux only."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Client:
    """One server process and what it answers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reading = asyncio.ensure_future(self._read())

    @classmethod
    async def start(cls, *command: str) -> Client:
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe))

    async def request(self, method: str, params: Any) -> Any:
        """The result of a request; an error is raised."""
        number = next(self._ids)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._send({"id": number, "method": method, "params": params})
        reply = await future
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply["result"]

    def notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    async def initialize(self) -> None:
        await self.request(
            "initialize", {"processId": os.getpid(), "rootUri": None, "capabilities": CAPABILITIES}
        )
        self.notify("initialized", {})

    async def stop(self) -> None:
        await self.request("shutdown", None)
        self.notify("exit", None)
        await self.process.wait()
        self._reading.cancel()

    def resident_mb(self) -> float:
        """Resident memory of the process, in MB; Linux only."""
        return resident_mb(self.process.pid)

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def _read(self) -> None:
        stdout = self.process.stdout
        assert stdout is not None
        while header := await stdout.readline():
            length = int(header.split(b":")[1])
            while (await stdout.readline()).strip():
                pass
            message = json.loads(await stdout.readexactly(length))
            if "method" not in message:
                future = self._waiting.pop(message["id"])
                if not future.done():  # else nobody waits for it any more
                    future.set_result(message)


class Typist:
    """A document in an editor, and someone who types into it."""

    def __init__(self, client: Client, uri: str, text: str, line: int | None = None) -> None:
        """Open the document, with the cursor at the end of a line, without one of the last."""
        lines = text.split("\n")
        self.client = client
        self.uri = uri
        self.version = 1
        self.line = len(lines) - 1 if line is None else line
        self.column = len(lines[self.line])
        item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        client.notify("textDocument/didOpen", {"textDocument": item})

    def type(self, text: str) -> None:
        """Insert text at the cursor."""
        self.version += 1
        here = self._position()
        change = {"range": {"start": here, "end": here}, "text": text}
        document = {"uri": self.uri, "version": self.version}
        self.client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
        self.line += text.count("\n")
        self.column = len(text) - text.rfind("\n") - 1 if "\n" in text else self.column + len(text)

    async def ask(self, *, invoked: bool = False) -> str | None:
        """The first suggestion at the cursor."""
        params = {
            "textDocument": {"uri": self.uri},
            "position": self._position(),
            "context": {"triggerKind": 1 if invoked else 2},
        }
        result = await self.client.request("textDocument/inlineCompletion", params)
        return result["items"][0]["insertText"] if result and result["items"] else None

    def _position(self) -> dict[str, int]:
        return {"line": self.line, "character": self.column}
