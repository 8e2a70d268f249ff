"""The server alone, in a short and a long file: python benchmarks/large_file.py [--requests N] [--pause MS].

One server for each file, over stdio, with a backend that answers at once and without the wait for typing to
rest. The same is typed into the middle of both, in turn, so that what else the machine does hits both alike.
A request is timed from its edit to its answer. What it costs must grow with the edit and not with the file.
With a pause before each key the processor has turned to other things meanwhile, as between the keys of a
user, and what it then needs is no longer in its caches.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import itertools
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from client import FIM_LS, Client, Typist

SERVER = (*FIM_LS, "--set", "backend=echo", "--set", "debounceMs=0")
LINES = (500, 20_000)
MOST_P99_MS, MOST_RATIO = 5.0, 1.3
WARM_UP = 50
"""Requests before any counts."""
TYPED = (
    "value = sorted(items, key=lambda item: item.size)[:limit]",
    "for name, entry in self.entries.items():  # the newest first",
    "if entry.is_valid and not entry.is_empty:",
    "result.append(combine(name, entry, default=None))",
)


@dataclass
class Sitting:
    """A typist in one file, and how long each answer took, in milliseconds."""

    lines: int
    typist: Typist
    took_ms: list[float] = field(default_factory=list)

    async def press(self, text: str) -> None:
        """Type, and wait for what is suggested then."""
        began = time.perf_counter()
        self.typist.type(text)
        await self.typist.ask()
        self.took_ms.append(1000 * (time.perf_counter() - began))

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.took_ms)

    @property
    def p99(self) -> float:
        """What one in a hundred is longer than."""
        return sorted(self.took_ms)[int(0.99 * len(self.took_ms))]


def source(lines: int) -> str:
    """Real code, repeated until there is enough of it; in the middle there is a line to type in."""
    code = itertools.cycle(Path(heapq.__file__).read_text(encoding="utf-8").split("\n"))
    half = lines // 2
    return "\n".join([*itertools.islice(code, half), "    ", *itertools.islice(code, lines - half - 1), ""])


def keys() -> Iterator[str]:
    """What is typed, for ever: lines with their ends, character by character."""
    for line in itertools.cycle(TYPED):
        yield from line
        yield "\n    "


async def sat_down(lines: int) -> Sitting:
    """A server with a file open in it, and a typist in the middle of that."""
    client = await Client.start(*SERVER)
    await client.initialize()
    return Sitting(lines, Typist(client, f"file:///typed/{lines}.py", source(lines), lines // 2))


async def main(requests: int, pause_s: float) -> None:
    """Type into the files, and print a table."""
    sittings = [await sat_down(lines) for lines in LINES]
    for number, text in enumerate(itertools.islice(keys(), requests + WARM_UP)):
        for sitting in sittings:
            await asyncio.sleep(pause_s)
            await sitting.press(text)
            if number < WARM_UP:
                sitting.took_ms.clear()
    short, long = sittings
    print(f"| {requests} requests, backend echo | p50 | p99 | memory |\n| --- | --- | --- | --- |")
    for each in sittings:
        memory = each.typist.client.resident_mb()
        print(f"| {each.lines:,} lines | {each.p50:.2f} ms | {each.p99:.2f} ms | {memory:.0f} MB |")
        await each.typist.client.stop()
    ratios = long.p50 / short.p50, long.p99 / short.p99
    print("| {} times as many | {:.2f} x | {:.2f} x | |".format(long.lines // short.lines, *ratios))
    for check, held in {
        f"p99 in {long.lines:,} lines is at most {MOST_P99_MS} ms": long.p99 <= MOST_P99_MS,
        f"and at most {MOST_RATIO} times that in {short.lines} lines": ratios[1] <= MOST_RATIO,
    }.items():
        print("ok" if held else "NO", check)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the server alone in a long file.")
    parser.add_argument("--requests", type=int, default=2000, help="in each file (default: %(default)s)")
    parser.add_argument("--pause", type=float, default=0, help="milliseconds before each key")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.requests, arguments.pause / 1000))
