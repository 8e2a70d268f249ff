"""What is compared: what every program can be told, what it costs, and our server over stdio."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from client import FIM_LS, Client, resident_mb
from typing_events import Key, Place


@dataclass
class Costs:
    """What the answers cost.

    Attributes:
        read: tokens of prompts that the model went through, without those that a cache had.
        written: tokens that it wrote.
        shown: those of them in an answer that reached the editor.
        cpu_s: of the process, in seconds.
        memory_mb: resident, in MB.
    """

    read: int = 0
    written: int = 0
    shown: int = 0
    cpu_s: float = 0.0
    memory_mb: float = 0.0

    def since(self, before: Costs) -> Costs:
        """What was added; of memory all that there is."""
        return Costs(
            self.read - before.read,
            self.written - before.written,
            self.shown - before.shown,
            self.cpu_s - before.cpu_s,
            self.memory_mb,
        )


OnAnswer = Callable[[str | None], None]
"""Told what is suggested for the text as it stands, None for nothing."""


class Suggester(Protocol):
    """A program that is told what is typed."""

    name: str

    def open(self, place: Place) -> None:
        """A file is opened; nothing is asked yet."""

    def close(self) -> None:
        """The file is closed, and nothing is waited for any more."""

    def ask(self, place: Place, key: Key | None, on_answer: OnAnswer) -> None:
        """A key was pressed, or the cursor was moved (None); what was asked before is of no interest now."""

    async def costs(self) -> Costs:
        """Since the start of the program."""

    async def stop(self) -> None:
        """End the program."""


class Ours:
    """Our server over stdio, asked after each key; when to ask the model is its own business."""

    def __init__(self, name: str, client: Client) -> None:
        self.name = name
        self._client = client
        self._uri, self._version = "", 0
        self._asking: asyncio.Future[None] | None = None

    @classmethod
    async def start(cls, without: Sequence[str] = ()) -> Ours:
        """Start the server without some of its parts, and wait until its model has answered."""
        parts = (sys.executable, str(Path(__file__).with_name("without.py")), *without)
        client = await Client.start(*(parts if without else FIM_LS))
        await client.initialize()
        ours = cls(f"without {', '.join(without)}" if without else "fim-ls", client)
        warm = Place("/typed/warm.py", ("def add(a, b):\n    return ", "", "\n"), ("", ""), 80, 0)
        ours.open(warm)
        await ours._answer(_position("def add(a, b):\n    return "), lambda _text: None)
        ours.close()
        return ours

    def open(self, place: Place) -> None:
        before, after = place.halves
        self._uri, self._version = f"file://{place.path}", 1
        item = {"uri": self._uri, "languageId": "python", "version": 1, "text": before + after}
        self._client.notify("textDocument/didOpen", {"textDocument": item})

    def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
        self._client.notify("textDocument/didClose", {"textDocument": {"uri": self._uri}})

    def ask(self, place: Place, key: Key | None, on_answer: OnAnswer) -> None:
        before, _ = place.halves
        if key is not None:
            self._change(before, key)
        if self._asking is not None:
            self._asking.cancel()
        self._asking = asyncio.ensure_future(self._answer(_position(before), on_answer))

    async def costs(self) -> Costs:
        status = await self._client.request("workspace/executeCommand", {"command": "fim-ls.status"})
        tokens = status["statistics"]["tokens"]
        cpu_s, memory_mb = process_costs(self._client.process.pid)
        return Costs(tokens["read"], tokens["written"], tokens["given"], cpu_s, memory_mb)

    async def stop(self) -> None:
        await self._client.stop()

    def _change(self, before: str, key: Key) -> None:
        """The edit as an editor tells it; ``before`` is the text before the cursor with the edit in it."""
        self._version += 1
        start = _position(before.removesuffix(key.text))
        end = {**start, "character": start["character"] + key.erased}
        change = {"range": {"start": start, "end": end}, "text": key.text}
        document = {"uri": self._uri, "version": self._version}
        self._client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    async def _answer(self, position: dict[str, int], on_answer: OnAnswer) -> None:
        """What is answered; null says nothing but that a newer request has taken the place of this one."""
        params = {"textDocument": {"uri": self._uri}, "position": position, "context": {"triggerKind": 2}}
        result = await self._client.request("textDocument/inlineCompletion", params)
        if result is not None:
            on_answer(result["items"][0]["insertText"] if result["items"] else None)


def process_costs(process_id: int) -> tuple[float, float]:
    """CPU time in seconds and resident memory in MB of a process with all its threads; Linux only."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), resident_mb(process_id)


def _position(before: str) -> dict[str, int]:
    """The end of a text; the files that are typed into hold nothing beyond the Basic Multilingual Plane."""
    return {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
