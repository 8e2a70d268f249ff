"""Typing 200 characters at 20 a second into a 2,000-line file: python benchmarks/typist.py.

A suggestion is asked for after each. Server and client share one event loop, in which a ticker measures
every stall: the time for which the server could not have handled a change. Exits with 1 when a request is
not answered exactly once, two generations run at once, the last answer does not fit the last text, the
worker is not idle afterwards, or a stall is longer than 50 ms.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import statistics
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from lsp_server.backends.base import Backend, GenerationRequest, Report
from lsp_server.completer import Completer
from lsp_server.engine.engine import Engine
from lsp_server.engine.job import Prepared
from lsp_server.engine.loading import make_backend
from lsp_server.lsp.options import Layers
from lsp_server.lsp.server import new_server
from lsp_server.settings import Settings

URI = "file:///typed.py"
LINES = 2000
CHARACTERS = 200
PER_SECOND = 20
LONGEST_STALL_MS = 50
TYPED = "value = sorted(items, key=lambda item: item.size, reverse=True)[:limit]  # the largest come first  "


class Wire:
    """Takes the place of a connection: what the server writes lands in a list."""

    def __init__(self) -> None:
        self.replies: dict[Any, list[Any]] = {}

    def write(self, data: bytes) -> None:
        message = json.loads(data.partition(b"\r\n\r\n")[2])
        if "method" not in message:
            self.replies.setdefault(message["id"], []).append(message)

    def close(self) -> None:
        pass


class Ticker:
    """Measures for how long nothing else in the loop could run."""

    def __init__(self) -> None:
        self.stalls_ms: list[float] = []

    async def run(self, pause_s: float = 0.005) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(pause_s)
            self.stalls_ms.append(1000 * (time.perf_counter() - before - pause_s))


class Counting:
    """A backend that counts how many of its generations run at once."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.name = backend.name
        self.load = backend.load
        self.close = backend.close
        self.running = self.most = 0

    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            yield from self.backend.generate(request, report)
        finally:
            self.running -= 1


async def main() -> int:
    settings = Settings()
    made: list[Counting] = []

    def make_counting(*arguments: Any) -> Prepared:
        prepared = make_backend(*arguments)
        made.append(Counting(prepared.backend))
        return prepared._replace(backend=made[-1])

    engine = Engine(settings, make_counting)
    server = new_server(lambda: Completer(engine, settings), Layers())
    wire, ticker, ids = Wire(), Ticker(), itertools.count(1)
    server.protocol.set_writer(wire)

    async def say(method: str, params: Any, *, reply: bool = False) -> int:
        number = next(ids)
        message = {"jsonrpc": "2.0", "method": method, "params": params} | ({"id": number} if reply else {})
        server.protocol.receive(json.dumps(message).encode())
        await asyncio.sleep(0)
        return number

    async def ask() -> int:
        where = {"textDocument": {"uri": URI}, "position": {"line": LINES, "character": column}}
        context = {"context": {"triggerKind": 2}}
        return await say("textDocument/inlineCompletion", where | context, reply=True)

    async def answered(number: int) -> None:
        while number not in wire.replies:
            await asyncio.sleep(0.01)

    capabilities = {"textDocument": {"inlineCompletion": {}}}
    await say("initialize", {"processId": None, "rootUri": None, "capabilities": capabilities}, reply=True)
    await say("initialized", {})
    source = Path(heapq.__file__).read_text(encoding="utf-8").splitlines()
    text = "\n".join(itertools.islice(itertools.cycle(source), LINES)) + "\n"
    item = {"uri": URI, "languageId": "python", "version": 1, "text": text}
    await say("textDocument/didOpen", {"textDocument": item})
    column = 0
    await answered(await ask())  # the model is loaded and has read the file

    ticking = asyncio.ensure_future(ticker.run())
    asked, began = [], time.perf_counter()
    for at in range(CHARACTERS):
        await asyncio.sleep(max(0.0, began + at / PER_SECOND - time.perf_counter()))
        here = {"line": LINES, "character": column}
        change = {"range": {"start": here, "end": here}, "text": TYPED[at % len(TYPED)]}
        version = {"uri": URI, "version": at + 2}
        await say("textDocument/didChange", {"textDocument": version, "contentChanges": [change]})
        column += 1
        asked.append(await ask())
    for number in asked:
        await answered(number)
    ticking.cancel()

    last = wire.replies[asked[-1]][0]["result"]
    suggestions = sum(bool(wire.replies[number][0]["result"]) for number in asked)
    checks = {
        f"every one of {len(asked)} requests got exactly one reply": all(
            len(wire.replies[number]) == 1 for number in asked
        ),
        "at most one generation ran at a time": [backend.most for backend in made] == [1],
        "the last reply fits the last text": last is None
        or last["items"][0]["range"]["start"] == {"line": LINES, "character": column},
        "the worker is idle afterwards": engine.idle,
        f"the longest stall is at most {LONGEST_STALL_MS} ms": max(ticker.stalls_ms) <= LONGEST_STALL_MS,
    }
    for check, held in checks.items():
        print("ok" if held else "NO", check)
    print(f"{suggestions} of the replies held a suggestion")
    print(
        f"stalls: median {statistics.median(ticker.stalls_ms):.1f} ms, longest {max(ticker.stalls_ms):.1f} ms"
    )
    await server.close()
    engine.close()
    return int(not all(checks.values()))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
