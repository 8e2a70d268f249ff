"""Typing into real files, in real time: python benchmarks/keystrokes.py [--places N] [--without PART …].

Our server over stdio and, place by place in the same run, the same weights under llama.cpp's own HTTP
server with its prompt cache. That one is asked as plugins ask it: 75 ms after a key that no other follows,
the request before given up, with the plain prompt of the same budget, once prefix first (PSM, what its
``/infill`` sends) and once suffix first (SPM).

A key waits until there is a suggestion for the text as it then stands. A suggestion that is how the file goes
on is accepted by a typist who had the time to read it. Where the typist goes elsewhere, keys that still wait
wait for ever.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import math
import random
import statistics
import sys
import sysconfig
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from suggesters import Costs, Ours, Reference, Suggester
from typing_events import SPEEDS_WPM, STRETCH_CHARACTERS, Key, Place
from without import PARTS

from lsp_server.models.embedded import fetch
from lsp_server.models.registry import REGISTRY
from lsp_server.settings import Settings

KEYS = 150
READING_S = 0.35
"""A suggestion is accepted no sooner."""
LEAST_ACCEPTED = 3
"""Characters; fewer are typed faster than they are read."""
SOURCES = (
    "argparse", "ast", "calendar", "codecs", "configparser", "csv", "dataclasses", "datetime", "difflib",
    "enum", "fractions", "functools", "getopt", "gettext", "gzip", "heapq", "html/parser", "http/client",
    "inspect", "ipaddress", "json/decoder", "locale", "logging/handlers", "mailbox", "netrc", "optparse",
    "pathlib", "pickle", "plistlib", "queue", "shlex", "shutil", "statistics", "tarfile", "tempfile",
    "textwrap", "tokenize", "traceback", "uuid", "zipfile",
)  # fmt: skip
"""Modules of the standard library, so that every machine has them."""
BOUNDS_MS = (150, 300)


@dataclass
class Screen:
    """What the typist sees, and which keys wait for it.

    Attributes:
        waited_ms: of each key until a suggestion was there, infinite if none came.
        shown: what is suggested for the text as it stands.
        accepted: the characters of each suggestion that was.
    """

    waited_ms: list[float] = field(default_factory=list)
    shown: str | None = None
    accepted: list[int] = field(default_factory=list)
    _waiting: list[float] = field(default_factory=list)
    _readable_since: float | None = None

    def press(self) -> None:
        """A key was pressed: what was shown does not count any more."""
        self._waiting.append(time.monotonic())
        self.shown = None

    def show(self, place: Place, text: str | None) -> None:
        """An answer for the text as it stands."""
        self.shown, now = text, time.monotonic()
        if text:
            self.waited_ms += [1000 * (now - since) for since in self._waiting]
            self._waiting.clear()
        if not (text and place.goes_on_with(text) and len(text.strip()) >= LEAST_ACCEPTED):
            self._readable_since = None
        elif self._readable_since is None:
            self._readable_since = now

    def leave(self) -> None:
        """The typist goes elsewhere."""
        self.waited_ms += [math.inf] * len(self._waiting)
        self._waiting.clear()
        self.shown = self._readable_since = None

    @property
    def is_read(self) -> bool:
        """Whether what is shown is right, and was there for long enough."""
        since = self._readable_since
        return self.shown is not None and since is not None and time.monotonic() - since >= READING_S

    def accept(self) -> str:
        """What is shown, which stands in the file now."""
        text, self.shown, self._readable_since = self.shown or "", None, None
        self.accepted.append(len(text))
        return text


@dataclass
class Sitting:
    """One program, and all that was seen of it so far.

    Attributes:
        first_ms: at each place, how long it took until there was a suggestion, after the file was opened
            and after the jump.
    """

    suggester: Suggester
    screen: Screen = field(default_factory=Screen)
    costs: list[Costs] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)

    async def type_at(self, place: Place) -> None:
        """Press the keys of a place."""
        before = await self.suggester.costs()
        self.suggester.open(place)
        self._ask(place, None)
        for number in range(KEYS):
            if number == KEYS // 2:
                self.screen.leave()
                place.jump()
                self._ask(place, None)
            await self._press(place)
        self.screen.leave()
        self.suggester.close()
        self.costs.append((await self.suggester.costs()).since(before))

    async def _press(self, place: Place) -> None:
        key = place.key
        await asyncio.sleep(key.gap_s)
        if self.screen.is_read:
            key = Key(0, self.screen.accept())
        place.press(key)
        self.screen.press()
        self._ask(place, key)

    def _ask(self, place: Place, key: Key | None) -> None:
        self.suggester.ask(place, key, lambda text: self.screen.show(place, text))


def places(count: int, seed: int) -> list[Place]:
    """Real files with two stretches cut out, each behind the head of a function."""
    chance = random.Random(seed)
    library = Path(sysconfig.get_path("stdlib"))
    found = []
    for number, name in enumerate(chance.sample(SOURCES, count)):
        text = (library / f"{name}.py").read_text(encoding="utf-8")
        found.append(cut(f"/typed/{name}.py", text, SPEEDS_WPM[number % len(SPEEDS_WPM)], seed + number))
    return found


def cut(path: str, text: str, wpm: int, seed: int) -> Place:
    """A place in a text: the body of a function in its first half is typed, and one in its last half."""
    chance = random.Random(seed)
    bodies = list(starts_of_bodies(text))
    half = len(text) // 2
    first = chance.choice([at for at in bodies if at < half - STRETCH_CHARACTERS])
    second = chance.choice([at for at in bodies if half <= at < len(text) - STRETCH_CHARACTERS])
    # What is typed is whole lines, as what stands behind it begins with a line end.
    one, two = (text[at : text.index("\n", at + STRETCH_CHARACTERS)] for at in (first, second))
    pieces = text[:first], text[first + len(one) : second], text[second + len(two) :]
    return Place(path, pieces, (one, two), wpm, seed)


def starts_of_bodies(text: str) -> Iterator[int]:
    """Where functions begin to do something: at the line end before it, behind head and docstring."""
    lines = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            is_told = ast.get_docstring(node) is not None
            if len(node.body) > is_told:
                yield lines[node.body[is_told].lineno - 1] - 1


def table(sittings: Sequence[Sitting]) -> str:
    """What was measured, a column for each program."""
    rows = [["", *(sitting.suggester.name for sitting in sittings)], ["---"] * (len(sittings) + 1)]
    columns = [measures(sitting) for sitting in sittings]
    rows += [[name, *(column[name] for column in columns)] for name in columns[0]]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def measures(sitting: Sitting) -> dict[str, str]:
    """The numbers of one program, as they are shown."""
    waited, costs = sorted(sitting.screen.waited_ms), sitting.costs
    keys, hundreds = len(waited), len(waited) / 100
    shares = {
        f"within {bound} ms": f"{100 * sum(each <= bound for each in waited) / keys:.0f} %"
        for bound in BOUNDS_MS
    }
    return {
        "until a suggestion, p50": f"{statistics.median(waited):.0f} ms",
        "p95": f"{waited[int(0.95 * keys)]:.0f} ms",
        **shares,
        "prompt tokens read per key": f"{sum(cost.read for cost in costs) / keys:.1f}",
        "tokens written per key": f"{sum(cost.written for cost in costs) / keys:.2f}",
        "thrown away": f"{sum(cost.written - cost.shown for cost in costs) / keys:.2f}",
        "CPU seconds per 100 keys": f"{sum(cost.cpu_s for cost in costs) / hundreds:.1f}",
        "memory": f"{max(cost.memory_mb for cost in costs):.0f} MB",
        "suggestions accepted": f"{len(sitting.screen.accepted)}",
        "characters of them": f"{sum(sitting.screen.accepted)}",
    }


async def run(arguments: argparse.Namespace) -> None:
    """Type everywhere, the programs in turn, and print the table as it grows."""
    model = fetch(REGISTRY[Settings().model], lambda _share: None, lambda: False)
    assert model is not None
    ours = [await Ours.start(), *[await Ours.start(parts.split(",")) for parts in arguments.without]]
    references = [await Reference.start(order, model) for order in arguments.references]
    sittings = [Sitting(suggester) for suggester in (*ours, *references)]
    for number in range(arguments.places):
        for sitting in sittings:
            await sitting.type_at(places(arguments.places, arguments.seed)[number])
        sys.stderr.write(f"{number + 1} of {arguments.places} places\n")
        sys.stderr.flush()
    sys.stdout.write(table(sittings))
    for sitting in sittings:
        await sitting.suggester.stop()


def parsed(arguments: Iterable[str] | None = None) -> argparse.Namespace:
    """The arguments of the command."""
    parser = argparse.ArgumentParser(description="Measure suggestions while typing.")
    parser.add_argument("--places", type=int, default=30, help="files to type into (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which, and how (default: %(default)s)")
    parser.add_argument("--references", nargs="*", choices=("psm", "spm"), default=("psm", "spm"))
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
