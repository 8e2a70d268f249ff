"""Typing into real files, in real time: python benchmarks/keystrokes.py [--places N] [--without PART …].

Our server over stdio and, place by place in the same run, the same weights under llama.cpp's own HTTP
server with its prompt cache, driven as plugins drive it (see ``reference.py``): once prefix first (PSM, what
its ``/infill`` sends) and once suffix first (SPM), with the plain prompt of the same budget.

A key waits until there is a suggestion for the text as it then stands. A suggestion that is how the file goes
on is accepted by a typist who had the time to read it. Where the typist goes elsewhere, keys that still wait
wait for ever.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from places import places
from reference import Reference
from sitting import KEYS, Sitting
from suggesters import Ours, Suggester
from typing_events import SPEEDS_WPM
from without import PARTS

from lsp_server.models.embedded import fetch
from lsp_server.models.registry import REGISTRY
from lsp_server.settings import Settings

BOUNDS_MS = (150, 300)
WARM_AFTER_S = 2.0
"""For so long after an arrival a place is cold."""


def table(sittings: Sequence[Sitting]) -> str:
    """What was measured, a column for each program."""
    rows = [["", *(sitting.suggester.name for sitting in sittings)], ["---"] * (len(sittings) + 1)]
    columns = [measures(sitting) for sitting in sittings]
    rows += [[name, *(column[name] for column in columns)] for name in columns[0]]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def measures(sitting: Sitting) -> dict[str, str]:
    """The numbers of one program, as they are shown."""
    screen, costs = sitting.screen, sitting.costs
    waited = [wait.ms for wait in screen.waits]
    warm = [wait.ms for wait in screen.waits if wait.since_s >= WARM_AFTER_S]
    keys, hundreds = len(waited), len(waited) / 100
    shares = {
        f"within {bound} ms": f"{100 * sum(each <= bound for each in waited) / keys:.0f} %"
        for bound in BOUNDS_MS
    }
    return {
        "until a suggestion, p50": quantile(waited, 0.5),
        "p95": quantile(waited, 0.95),
        **shares,
        f"p50 without the first {WARM_AFTER_S:.0f} s at a place": quantile(warm, 0.5),
        "first suggestion at a place, p50": quantile(screen.first_ms, 0.5),
        "first suggestion at a place, p95": quantile(screen.first_ms, 0.95),
        "prompt tokens read per key": f"{sum(cost.read for cost in costs) / keys:.1f}",
        "tokens written per key": f"{sum(cost.written for cost in costs) / keys:.2f}",
        "thrown away": f"{sum(cost.written - cost.shown for cost in costs) / keys:.2f}",
        "CPU seconds per 100 keys": f"{sum(cost.cpu_s for cost in costs) / hundreds:.1f}",
        "memory": f"{max(cost.memory_mb for cost in costs):.0f} MB",
        "suggestions accepted": f"{len(screen.accepted)}",
        "characters of them": f"{sum(screen.accepted)}",
    }


def quantile(values: Sequence[float], share: float) -> str:
    """A quantile of milliseconds; a value that never came is beyond all others."""
    if not values:
        return "none"
    found = statistics.median(values) if share == 0.5 else sorted(values)[int(share * len(values))]
    return f"{found:.0f} ms" if found < float("inf") else "never"


def header(done: int, minutes: float, arguments: argparse.Namespace) -> str:
    """What the table is of."""
    speeds = ", ".join(map(str, SPEEDS_WPM))
    return (
        f"{done} places, {KEYS} keys at each, at {speeds} words per minute in turn, seed {arguments.seed};"
        f" {os.cpu_count()} CPU cores; the run took {minutes:.0f} minutes.\n\n"
    )


class Record:
    """A run in a file, written after each place, so that one that was broken off can go on."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._path: Path | None = arguments.json
        names = ("seed", "places", "reference_threads")
        self._of = {"keys": KEYS, **{name: getattr(arguments, name) for name in names}}

    def taken(self, sittings: Sequence[Sitting]) -> tuple[int, float]:
        """How many places are done already, and the minutes that they took; their numbers go to the sittings.

        Raises:
            SystemExit: the file is of another run.
        """
        if self._path is None or not self._path.exists():
            return 0, 0.0
        record = json.loads(self._path.read_text(encoding="utf-8"))
        names = [sitting.suggester.name for sitting in sittings]
        if record["of"] != self._of or [each["name"] for each in record["programs"]] != names:
            sys.exit(f"{self._path} holds a run with other arguments.")
        for sitting, numbers in zip(sittings, record["programs"], strict=True):
            sitting.take(numbers)
        return record["done"], record["minutes"]

    def write(self, done: int, minutes: float, sittings: Sequence[Sitting]) -> None:
        """Keep what there is."""
        if self._path is None:
            return
        programs: list[dict[str, Any]] = [sitting.numbers() for sitting in sittings]
        record = {"of": self._of, "done": done, "minutes": minutes, "programs": programs}
        unfinished = self._path.with_suffix(".part")
        unfinished.write_text(json.dumps(record), encoding="utf-8")
        unfinished.replace(self._path)


async def started(arguments: argparse.Namespace, programs: AsyncExitStack) -> list[Suggester]:
    """All programs that are compared, running until the stack is closed."""
    model = fetch(REGISTRY[Settings().model], lambda _share: None, lambda: False)
    assert model is not None
    found: list[Suggester] = []
    for parts in ([], *(parts.split(",") for parts in arguments.without)):
        found.append(await Ours.start(parts))
        programs.push_async_callback(found[-1].stop)
    for order in arguments.references:
        found.append(await Reference.start(order, model, arguments.reference_threads))
        programs.push_async_callback(found[-1].stop)
    return found


async def run(arguments: argparse.Namespace) -> None:
    """Type everywhere, the programs in turn, and print the table."""
    async with AsyncExitStack() as programs:
        sittings = [Sitting(suggester) for suggester in await started(arguments, programs)]
        record = Record(arguments)
        done, minutes = record.taken(sittings)
        began = time.monotonic() - 60 * minutes
        while done < arguments.places and minutes < arguments.minutes:
            for sitting in sittings:
                await sitting.type_at(places(arguments.places, arguments.seed)[done])
            done, minutes = done + 1, (time.monotonic() - began) / 60
            record.write(done, minutes, sittings)
            sys.stderr.write(f"{done} of {arguments.places} places, {minutes:.0f} minutes\n")
            sys.stderr.flush()
        sys.stdout.write(header(done, minutes, arguments) + table(sittings))


def parsed(arguments: Iterable[str] | None = None) -> argparse.Namespace:
    """The arguments of the command."""
    parser = argparse.ArgumentParser(description="Measure suggestions while typing.")
    parser.add_argument("--places", type=int, default=30, help="files to type into (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which, and how (default: %(default)s)")
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="end after the place that passes so many"
    )
    parser.add_argument(
        "--json", type=Path, help="keep the raw numbers here; a run that finds some goes on behind them"
    )
    parser.add_argument("--references", nargs="*", choices=("psm", "spm"), default=("psm", "spm"))
    parser.add_argument(
        "--reference-threads", type=int, help="that it writes with (default: one less than there are cores)"
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PART[,PART…]",
        help=f"compare with our server without parts: {', '.join(PARTS)}; may be given several times",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    asyncio.run(run(parsed()))
