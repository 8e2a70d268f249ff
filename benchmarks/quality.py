"""What speed costs in quality: python benchmarks/quality.py [--places N] [--seed N].

The embedded model is asked for the rest of lines of the standard library, half of them from the middle of a
word on, as our server asks while one types, without the wait for typing to rest: with a prompt made for the
place; with one that was made some lines above it, as in the middle of a session; and with one that ends as
the text does, in the middle of a word too. The measures are those of ``fim-ls eval``.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import statistics
import sysconfig
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from places import SOURCES

from lsp_server.backends.base import LoadedModel, OnProgress
from lsp_server.cli.leave import leave, let_go
from lsp_server.completion.document import Document
from lsp_server.engine.engine import Engine
from lsp_server.engine.job import Prepared
from lsp_server.engine.loading import make_backend
from lsp_server.evaluation.holes import Hole, Source
from lsp_server.evaluation.run import Examiner, Way
from lsp_server.evaluation.scores import exact, similarity
from lsp_server.evaluation.spots import code_lines
from lsp_server.settings import Settings

MOST_LOST = 0.01
"""Of the edit similarity."""
WAYS: dict[str, tuple[Way, bool]] = {
    "healed": ("served", True),
    "healed, anchored": ("anchored", True),
    "not healed": ("served", False),
}
"""How the model is asked, and whether it spells the unfinished word again."""
_WORD = re.compile(r"[^\W\d]\w{4,}")


def sources() -> list[Source]:
    """Files that every machine has."""
    library = Path(sysconfig.get_path("stdlib"))
    texts = ((name, (library / f"{name}.py").read_text(encoding="utf-8")) for name in SOURCES)
    return [Source(name, f"{name}.py", "python", text) for name, text in texts]


def holes(count: int, chance: random.Random) -> list[Hole]:
    """Rests of lines, the file and the kind of place changing from one to the next."""
    found: list[Hole] = []
    spots = [_spots(source, chance) for source in sources()]
    while len(found) < count:
        at = len(found)
        inside, anywhere = next(spots[at % len(spots)])
        found.append(inside if at % 2 else anywhere)
    return found


def _spots(source: Source, chance: random.Random) -> Iterator[tuple[Hole, Hole]]:
    """Of each line of code with a long word in it, in any order: from inside the word on, and from before a
    word on."""
    document = Document("", source.language, source.text)
    lines = code_lines(document)
    for number in chance.sample(lines, len(lines)):
        line, start = document.lines[number], document.line_starts[number]
        words = list(_WORD.finditer(line))
        if words:
            word, other = chance.choice(words), chance.choice(words)
            inside = chance.randrange(word.start() + 1, word.end())
            end = start + len(line)
            yield (
                Hole("rest of line", source, start + inside, end),
                Hole("rest of line", source, start + other.start(), end),
            )


def engine(settings: Settings, *, heals: bool) -> Engine:
    """The embedded model, that spells unfinished words again or does not."""

    def prepared(chosen: Settings, on_progress: OnProgress, gives_up: Callable[[], bool]) -> Prepared:
        made = make_backend(chosen, on_progress, gives_up)
        load = made.backend.load

        def loaded(on_progress: OnProgress) -> LoadedModel:
            return replace(load(on_progress), heals=heals)

        made.backend.load = loaded  # type: ignore[method-assign]
        return made

    return Engine(settings, prepared)


async def ask(chosen: Sequence[Hole]) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """The similarity and the exactness of each answer, by the kind of place and the way of asking."""
    settings = Settings()
    engines = {heals: engine(settings, heals=heals) for heals in (True, False)}
    examiners = {heals: Examiner(engines[heals], settings) for heals in engines}
    scored = defaultdict(list)
    try:
        for number, hole in enumerate(chosen):
            for name, (way, heals) in WAYS.items():
                answer = await examiners[heals].ask(hole, way, number)
                score = similarity(hole, answer) or 0.0, exact(hole, answer) or 0.0
                for kind in ("all", "inside a word" if number % 2 else "before a word"):
                    scored[kind, name].append(score)
    finally:
        for each in engines.values():
            let_go(each)
    return scored


def main(places: int, seed: int) -> None:
    """Print the table, and whether what must hold does."""
    scored = asyncio.run(ask(holes(places, random.Random(seed))))
    print("| embedded model, edit similarity / exact |", " | ".join(WAYS), "|\n| --- |", "--- | " * len(WAYS))
    means = {key: [statistics.fmean(column) for column in zip(*scored[key], strict=True)] for key in scored}
    for kind in ("all", "inside a word", "before a word"):
        cells = (f"{alike:.3f} / {right:.3f}" for alike, right in (means[kind, name] for name in WAYS))
        print(f"| {kind} ({len(scored[kind, 'healed'])}) |", " | ".join(cells), "|")
    lost = {
        kind: means[kind, "healed"][0] - means[kind, "healed, anchored"][0]
        for kind in ("all", "inside a word")
    }
    gained = means["inside a word", "healed, anchored"][0] - means["inside a word", "not healed"][0]
    for check, held in {
        f"an anchored prompt costs at most {MOST_LOST} of the similarity": lost["all"] <= MOST_LOST,
        "nor more inside a word, where healing brings more than that": lost["inside a word"]
        <= MOST_LOST
        < gained,
    }.items():
        print("ok" if held else "NO", check)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure what speed costs in quality.")
    parser.add_argument("--places", type=int, default=500, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the places (default: %(default)s)")
    arguments = parser.parse_args()
    main(arguments.places, arguments.seed)
    leave(0)
