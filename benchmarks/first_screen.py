"""The measured table of the README: python benchmarks/first_screen.py, or make bench.

Starts are paired, ours and a bare pygls server in turn, so that the ratio holds on a noisy machine. The model
is fetched first if it is not there; no network is needed after that.
"""

from __future__ import annotations

import asyncio
import heapq
import os
import statistics
import sys
import time
from pathlib import Path

from client import FIM_LS, Client, Typist

BARE = (sys.executable, str(Path(__file__).with_name("bare_server.py")))
STARTS = 7
KEYSTROKES = 30
SOURCE = Path(heapq.__file__).read_text(encoding="utf-8") + "\n\ndef largest(items):\n    "
"""A real file of 600 lines, and a function that has just been begun below it."""


async def start_ms(command: tuple[str, ...]) -> float:
    began = time.perf_counter()
    client = await Client.start(*command)
    await client.initialize()
    took = 1000 * (time.perf_counter() - began)
    await client.stop()
    return took


async def asked_ms(typist: Typist) -> tuple[float, str | None]:
    began = time.perf_counter()
    text = await typist.ask()
    return 1000 * (time.perf_counter() - began), text


async def suggestions() -> dict[str, float]:
    """Milliseconds until a suggestion is there: cold, warm, and along a suggestion; and the memory."""
    client = await Client.start(*FIM_LS)
    await client.initialize()
    await Typist(client, "file:///warm.py", "def add(a, b):\n    return ").ask()  # waits for the model
    cold, _ = await asked_ms(Typist(client, "file:///heap.py", SOURCE))
    warm, along = [], []
    for number in range(KEYSTROKES):
        typist = Typist(client, f"file:///{number}.py", SOURCE + f"value_{number} = ")
        await typist.ask()
        typist.type("max(")
        took, text = await asked_ms(typist)
        warm.append(took)
        if text:
            typist.type(text[0])
            along.append((await asked_ms(typist))[0])
    memory = client.resident_mb()
    await client.stop()
    return {
        "cold": cold,
        "warm": statistics.median(warm),
        "along": statistics.median(along),
        "memory": memory,
    }


async def main() -> None:
    pairs = [(await start_ms(FIM_LS), await start_ms(BARE)) for _ in range(STARTS + 1)][1:]
    ours, ratio = statistics.median(a for a, _ in pairs), statistics.median(a / b for a, b in pairs)
    measured = await suggestions()
    rows = {
        "`initialize` answered, beside a bare pygls server": f"{ours:.0f} ms, {ratio:.2f} times as long",
        "first suggestion in a 600-line file, nothing cached": f"{measured['cold'] / 1000:.1f} s",
        "a keystroke that the model has to answer, cache warm": f"{measured['warm']:.0f} ms",
        "a keystroke along a suggestion": f"{measured['along']:.0f} ms",
        "resident memory of the whole server": f"{measured['memory']:.0f} MB",
    }
    print(f"| measured on {os.cpu_count()} CPU cores, embedded model | |\n| --- | --- |")
    for name, value in rows.items():
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    asyncio.run(main())
