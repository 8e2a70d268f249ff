"""``fim-ls eval``: how good the model is on the user's own files."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from lsp_server.cli.leave import let_go
from lsp_server.cli.options import add_settings, settings_of
from lsp_server.cli.place import LANGUAGES, read_document
from lsp_server.engine.engine import Engine
from lsp_server.engine.job import State, Status
from lsp_server.engine.loading import choose_backend
from lsp_server.errors import DocumentError, UserError
from lsp_server.evaluation.holes import KINDS, Hole, Source, choose
from lsp_server.evaluation.run import Examiner
from lsp_server.evaluation.scores import MEASURES, Answer, Summary, summary
from lsp_server.settings import Settings

SAMPLES = 56
DATA = frozenset({"json", "markdown", "toml", "yaml"})
"""Languages that are not looked for in folders."""
FOREIGN_FOLDERS = frozenset({"__pycache__", "build", "dist", "node_modules", "target", "vendor", "venv"})
LARGEST_FILE_BYTES = 500_000
"""What is larger was written by a program."""

Scored = list[tuple[Hole, Answer]]


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "Takes lines and blocks out of files, lets the model write them as it would while one types, and "
        "compares. In the kind 'complete' nothing is missing: to be quiet is right there, and elsewhere a "
        "chance missed."
    )
    parser.add_argument(
        "paths", metavar="PATH", nargs="+", type=Path, help="a file, or a folder with code in it"
    )
    parser.add_argument(
        "--samples", type=int, default=SAMPLES, metavar="N", help=f"places to complete ({SAMPLES})"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which places (1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with 95 %% intervals")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask the model for what is missing in the holes, and print how good it is."""
    settings = settings_of(arguments)
    backend = choose_backend(settings)
    if arguments.samples < 1:
        raise UserError("--samples wants a number of at least 1.")
    holes = choose(sources(arguments.paths), arguments.samples, arguments.seed)
    if not holes:
        names = ", ".join(map(str, arguments.paths))
        message = f"There is no code in {names} that something could be taken out of."
        raise DocumentError(message)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        scored, status = asyncio.run(ask_all(settings, holes, progress))
    if arguments.json:
        print(json.dumps(as_json(scored, status, backend, arguments.seed)))
    else:
        console = Console()
        console.print(table(scored))
        console.print(f"{status.model} on {status.device}. {LEGEND}", highlight=False, markup=False)
    return 0


def sources(paths: list[Path]) -> list[Source]:
    """The files that are named, and those with code in the folders that are named.

    Raises:
        DocumentError: a path that cannot be read.
    """
    found: dict[Path, Source] = {}
    for path in paths:
        for file in _code(path) if path.is_dir() else [path]:
            try:
                document = read_document(file)
            except DocumentError:
                if file == path:
                    raise
                continue  # a folder may hold anything
            group = file.parent.as_posix()
            found[file.resolve()] = Source(group, file.as_posix(), document.language, str(document.text))
    return list(found.values())


def _code(folder: Path) -> Iterator[Path]:
    for above, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in FOREIGN_FOLDERS and name[0] != ".")
        for name in sorted(names):
            path = Path(above, name)
            language = LANGUAGES.get(path.suffix.lower(), "markdown")
            if language not in DATA and path.is_file() and path.stat().st_size <= LARGEST_FILE_BYTES:
                yield path


async def ask_all(settings: Settings, holes: list[Hole], progress: Progress) -> tuple[Scored, Status]:
    """The answer for each hole, as typing would be given it, and what the model is.

    Raises:
        ModelError: the model could not be loaded, or failed.
    """
    task = progress.add_task("Loading the model", total=len(holes))
    engine = Engine(settings)
    engine.subscribe(lambda status: progress.update(task, description=_doing(status)))
    examiner = Examiner(engine, settings)
    scored = []
    try:
        for number, hole in enumerate(holes):
            scored.append((hole, await examiner.ask(hole, "served", number)))
            progress.advance(task)
        return scored, engine.status
    finally:
        let_go(engine)


def _doing(status: Status) -> str:
    return "Loading the model" if status.state is State.LOADING else "Completing"


def rows(scored: Scored) -> Iterator[tuple[str, str, Summary]]:
    """A row for each language and kind, and for each kind where there are several languages."""
    languages = sorted({hole.source.family for hole, _ in scored})
    for language in [*languages, *(["all"] if len(languages) > 1 else [])]:
        for kind in KINDS:
            chosen = [
                pair for pair in scored if pair[0].kind == kind and language in ("all", pair[0].source.family)
            ]
            if chosen:
                yield language, kind, summary(chosen)


HEADS = {
    "exact": "exact",
    "similarity": "similar",
    "next_line": "next",
    "stops_right": "stops",
    "respects_suffix": "suffix",
    "quiet": "quiet",
}
"""What the columns of the measures are headed with."""
LEGEND = (
    "similar: 1 less the edit distance as a share of the longer text; next: the first line is exact; "
    "stops: neither runs on nor stops short; suffix: does not repeat what follows; quiet: nothing is shown; "
    "p50, p95: ms where the model was asked, each place being new to it."
)


def table(scored: Scored) -> Table:
    """The rows as a table of means, one line each on 80 columns."""
    drawn = Table("language", "kind", box=None, padding=(0, 1, 0, 0))
    for head in ("places", *HEADS.values(), "p50", "p95"):
        drawn.add_column(head, justify="right")
    for column in drawn.columns:
        column.no_wrap = True
    for language, kind, result in rows(scored):
        means = [result.means.get(name) for name in HEADS]
        figures = ["" if mean is None else f"{mean.value:.2f}" for mean in means]
        times = ["" if time is None else f"{time:.0f}" for time in (result.median_ms, result.p95_ms)]
        drawn.add_row(language, kind, str(result.places), *figures, *times)
    return drawn


def as_json(scored: Scored, status: Status, backend: str, seed: int) -> dict[str, Any]:
    """The object that ``--json`` prints."""
    return {
        "model": status.model,
        "backend": backend,
        "device": status.device,
        "seed": seed,
        "places": len(scored),
        "rows": [
            {
                "language": language,
                "kind": kind,
                "places": result.places,
                **{name: asdict(result.means[name]) if name in result.means else None for name in MEASURES},
                "latency_ms": {"p50": result.median_ms, "p95": result.p95_ms},
                "tokens": result.tokens,
            }
            for language, kind, result in rows(scored)
        ],
    }
