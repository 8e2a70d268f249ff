"""What the engines do with the same weights on a CPU: python benchmarks/engines.py [--rounds N] [ENGINE …].

Each engine runs in a process of its own for each number of threads, and is asked through our ``Backend``, so
that all are measured alike; in turn, so that what else the machine does hits all alike. Those of
``other_engines.py`` are not ours, and measured only if they are named. The numbers are medians over the
rounds. In each round a prompt of random tokens is read, asked again, and gone on from:

- prefill: the prompt read for the first time, less what it takes when it was read before and kept;
- reuse: the prompt asked again, until its first token;
- decode: each token after the first;
- cancel: until a generation is over that is closed while it writes, and while it reads.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from client import resident_mb
from other_engines import OTHERS, Other

from lsp_server.backends.base import Backend, GenerationRequest, Report, SamplingParams
from lsp_server.engine.loading import make_backend
from lsp_server.settings import Settings

PROMPT_TOKENS, NEW_TOKENS = 448, 40
LEAST_TOKENS = 20
"""A round in which the model comes to its end sooner does not count for decode."""
THREADS = (1, 2)
VOCABULARY = (1_000, 40_000)
"""Plain tokens of the embedded model lie between."""
ENGINES: dict[str, dict[str, Any]] = {
    "ik_llama": {"backend": "ik_llama"},
    "llama_cpp": {"backend": "llama_cpp"},
    "transformers bfloat16": {"backend": "transformers", "dtype": "bfloat16"},
    "transformers float32": {"backend": "transformers", "dtype": "float32"},
}


def timed_ms(backend: Backend | Other, ids: tuple[int, ...], tokens: int) -> tuple[float, int]:
    """How long it takes to write at most so many tokens behind a prompt, and how many were written."""
    report, began = Report(), time.perf_counter()
    for _ in backend.generate(GenerationRequest("", ids, sampling=SamplingParams(tokens)), report):
        pass
    return 1000 * (time.perf_counter() - began), report.usage.completion_tokens


def closed_ms(backend: Backend | Other, ids: tuple[int, ...], is_enough: Callable[[int], bool]) -> float:
    """How long it takes to leave a generation after enough of its pieces."""
    pieces = backend.generate(GenerationRequest("", ids, sampling=SamplingParams(NEW_TOKENS)), Report())
    for number, _ in enumerate(pieces, start=1):
        if is_enough(number):
            break
    began = time.perf_counter()
    pieces.close()
    return 1000 * (time.perf_counter() - began)


def one_round(backend: Backend | Other, seed: int) -> dict[str, float | None]:
    """Read a prompt, read it again, go on from it, and leave."""
    chance = random.Random(seed)
    ids, others = (tuple(chance.choices(range(*VOCABULARY), k=PROMPT_TOKENS)) for _ in range(2))
    cold_ms, _ = timed_ms(backend, ids, 1)
    warm_ms, _ = timed_ms(backend, ids, 1)
    written_ms, written = timed_ms(backend, ids, NEW_TOKENS)
    first_ms = 0.0 if isinstance(backend, Other) and not backend.keeps_what_it_read else warm_ms
    return {
        "prefill": 1000 * (PROMPT_TOKENS - 1) / max(cold_ms - first_ms, 1e-3),
        "reuse_ms": warm_ms,
        "decode_ms": (written_ms - warm_ms) / (written - 1) if written >= LEAST_TOKENS else None,
        "left_writing_ms": closed_ms(backend, ids, lambda number: number == 8),
        "left_reading_ms": None
        if isinstance(backend, Other)
        else closed_ms(backend, others, lambda number: number == 1),
    }


def loaded(engine: str, threads: int) -> Backend | Other:
    """An engine of this name that is ready."""
    if engine in OTHERS:
        return OTHERS[engine](threads)
    settings = Settings(**ENGINES[engine], threads=threads, device="cpu")
    backend = make_backend(settings, lambda _share: None, lambda: False).backend
    backend.load(lambda _share: None)
    return backend


def serve(engine: str, threads: int) -> None:
    """Load an engine, and measure a round for each line that comes in."""
    backend = loaded(engine, threads)
    timed_ms(backend, (VOCABULARY[0],), 1)
    print(json.dumps({}), flush=True)
    for line in sys.stdin:
        print(json.dumps(one_round(backend, int(line))), flush=True)


@dataclass
class Running:
    """An engine in its process, and what was measured of it."""

    process: asyncio.subprocess.Process
    start_s: float = 0.0
    memory_mb: float = 0.0
    rounds: list[dict[str, float | None]] = field(default_factory=list)

    @classmethod
    async def start(cls, engine: str, threads: int) -> Running | None:
        """Start it, until it has answered once; None if it does not run here."""
        pipe, began = asyncio.subprocess.PIPE, time.perf_counter()
        command = (sys.executable, __file__, "--serve", engine, str(threads))
        running = cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe))
        if await running._line() is None:
            return None
        running.start_s = time.perf_counter() - began
        return running

    async def measure(self, seed: int) -> None:
        """Have it measure a round."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"%d\n" % seed)
        measured = await self._line()
        assert measured is not None
        self.rounds.append(measured)
        self.memory_mb = max(self.memory_mb, resident_mb(self.process.pid))

    async def stop(self) -> None:
        """End it."""
        self.process.kill()
        await self.process.wait()

    def median(self, name: str) -> float:
        """Over the rounds; not a number if none counts."""
        values = [value for each in self.rounds if (value := each[name]) is not None]
        return statistics.median(values) if values else float("nan")

    async def _line(self) -> dict[str, float | None] | None:
        """What it says next; None if it has ended."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        return json.loads(line) if line else None


def whole(number: float) -> str:
    """As it is shown: in whole numbers, or not at all."""
    return "-" if math.isnan(number) else f"{number:.0f}"


def row(engine: str, threads: int, running: Running) -> str:
    """A row of the table."""
    cells = [
        engine,
        str(threads),
        f"{running.median('prefill'):.0f}",
        f"{running.median('decode_ms'):.1f}",
        f"{running.memory_mb:.0f}",
        f"{running.start_s:.1f}",
        f"{running.median('reuse_ms'):.0f}",
        f"{whole(running.median('left_writing_ms'))}, {whole(running.median('left_reading_ms'))}",
    ]
    return "| " + " | ".join(cells) + " |"


async def main(engines: list[str], rounds: int) -> None:
    """Measure all in turn, and print a table."""
    found = {}
    for engine in engines:
        for threads in THREADS:
            if (running := await Running.start(engine, threads)) is not None:
                found[engine, threads] = running
    for number in range(rounds):
        for running in found.values():
            await running.measure(number)
    print(
        f"{PROMPT_TOKENS} tokens of prompt, {NEW_TOKENS} new ones, {rounds} rounds, {os.cpu_count()} cores.\n"
    )
    print(
        "| engine | threads | prefill, tokens/s | decode, ms/token | memory, MB | start, s | reuse, ms"
        " | cancel, ms: writing, reading |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    for (engine, threads), running in found.items():
        print(row(engine, threads, running))
        await running.stop()


def parsed() -> argparse.Namespace:
    """The arguments of the command."""
    parser = argparse.ArgumentParser(description="Measure engines on this CPU.")
    parser.add_argument(
        "engines", nargs="*", metavar="ENGINE", help=f"of {', '.join(ENGINES | OTHERS)}; default: ours"
    )
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := set(arguments.engines) - set(ENGINES | OTHERS):
        parser.error(f"there is no engine {', '.join(sorted(unknown))}")
    return arguments


if __name__ == "__main__":
    chosen = parsed()
    if chosen.serve:
        serve(chosen.serve[0], int(chosen.serve[1]))
    else:
        asyncio.run(main(chosen.engines or list(ENGINES), chosen.rounds))
