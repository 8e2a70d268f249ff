"""Compares models on held-out files: python -m training.evaluate HELD_OUT OUT --model NAME=MODEL[:FORMAT].

MODEL is a GGUF file or a name of the registry; FORMAT, a key of ``completion.fim.FORMATS``, is how to ask it
if that is not what the server would choose. It runs in the backend that the server would choose, too, unless
``--backend`` names one. Writes ``OUT/answers.jsonl``, every answer as it comes, for reading by eye, and
``OUT/table.md``, which it prints too. With ``--resume`` the answers that ``OUT`` holds for the same weights,
format, backend and holes are taken as they are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple, get_args

from rich.console import Console

from lsp_server.cli.leave import leave, let_go
from lsp_server.engine.engine import Engine
from lsp_server.errors import DocumentError, FimLsError
from lsp_server.evaluation.holes import KINDS, Hole, Source, choose
from lsp_server.evaluation.run import Examiner, Way
from lsp_server.evaluation.scores import MEASURES, Answer
from training.contender import Backend, Contender
from training.results import Record, markdown

SAMPLES = 560
PROGRESS_EVERY = 20
PATIENCE_MS = 600_000
"""A machine that is busy with training is no reason to give a model up."""
LINES_AROUND = 3
"""Of the file, in what is written for reading by eye."""

_console = Console(stderr=True, highlight=False)


class Key(NamedTuple):
    """What tells an answer from every other."""

    identity: str
    way: str
    path: str
    start: int
    end: int


class Answers:
    """The file of answers: what it holds is known, what is new is added at once."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").split("\n") if resume and path.exists() else []
        # A run that was killed may have left half a line at the end.
        whole = [line for line in lines[:-1] if line]
        partial = path.with_suffix(".partial")
        partial.write_text("".join(line + "\n" for line in whole), encoding="utf-8")
        partial.replace(path)
        self._known = dict(_read(json.loads(line)) for line in whole)

    def find(self, key: Key) -> Answer | None:
        """The answer, if there is one."""
        return self._known.get(key)

    def add(self, key: Key, record: Record) -> None:
        """Write an answer down."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(_written(key, record)) + "\n")


def _read(written: dict[str, Any]) -> tuple[Key, Answer]:
    path = f"{written['package']}/{written['path']}"
    key = Key(written["identity"], written["way"], path, written["start"], written["end"])
    return key, Answer(**written["answer"])


def _written(key: Key, record: Record) -> dict[str, Any]:
    """One answer, its scores, and a few lines around the hole."""
    hole, answer = record.hole, record.answer
    return {
        "contender": record.contender,
        "identity": key.identity,
        "way": record.way,
        "kind": hole.kind,
        "language": hole.source.language,
        "package": hole.source.group,
        "path": hole.source.path,
        "start": hole.start,
        "end": hole.end,
        "before": "\n".join(hole.before.split("\n")[-LINES_AROUND:]),
        "truth": hole.truth,
        "after": "\n".join(hole.after.split("\n")[: LINES_AROUND + 1]),
        "answer": asdict(answer),
        "scores": {name: measure(hole, answer) for name, measure in MEASURES.items()},
    }


async def ask(
    contender: Contender, backend: Backend, holes: list[Hole], ways: tuple[Way, ...], answers: Answers
) -> list[Record]:
    """All answers of one contender, known or new.

    Raises:
        ModelError: it could not be loaded, or failed.
    """
    settings = replace(contender.settings(backend), deadline_ms=PATIENCE_MS)
    engine, identity = Engine(settings), contender.identity(backend)
    examiner, began = Examiner(engine, settings), time.monotonic()
    records = []
    try:
        for number, hole in enumerate(holes, 1):
            for way in ways:
                key = Key(identity, way, _file(hole.source), hole.start, hole.end)
                known = answers.find(key)
                records.append(
                    Record(contender.name, way, hole, known or await examiner.ask(hole, way, number))
                )
                if known is None:
                    answers.add(key, records[-1])
            if number % PROGRESS_EVERY == 0 or number == len(holes):
                _console.print(
                    f"{contender.name}: {number} of {len(holes)}, {time.monotonic() - began:.0f} s"
                )
    finally:
        let_go(engine)
    return records


def _file(source: Source) -> str:
    return f"{source.group}/{source.path}"


def sources(path: Path) -> list[Source]:
    """The files that ``training.corpus --held-out`` wrote.

    Raises:
        DocumentError: there are none.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            files = [json.loads(line) for line in lines]
    except OSError as error:
        message = f"{path} cannot be read: make it with training.corpus --held-out."
        raise DocumentError(message) from error
    return [Source(file["package"], file["path"], file["language"], file["text"]) for file in files]


def compare(arguments: argparse.Namespace) -> str:
    """Ask all contenders and write the table.

    Raises:
        FimLsError: a model could not be asked.
    """
    holes = [
        hole
        for hole in choose(sources(arguments.held_out), arguments.samples, arguments.seed)
        if arguments.kind in ("", hole.kind) and arguments.language in ("", hole.source.family)
    ]
    chosen: dict[Way, bool] = {"served": True, "anchored": arguments.anchored, "raw": arguments.raw}
    ways = tuple(way for way, is_chosen in chosen.items() if is_chosen)
    arguments.out.mkdir(parents=True, exist_ok=True)
    answers = Answers(arguments.out / "answers.jsonl", resume=arguments.resume)
    records: list[Record] = []
    for contender in arguments.contenders:
        records += asyncio.run(ask(contender, arguments.backend, holes, ways, answers))
    table = markdown(records, [contender.name for contender in arguments.contenders])
    (arguments.out / "table.md").write_text(table, encoding="utf-8")
    return table


def parser() -> argparse.ArgumentParser:
    """The arguments of the command."""
    found = argparse.ArgumentParser(prog="python -m training.evaluate", description="Compare models.")
    found.add_argument("held_out", type=Path, help="files.jsonl of the packages that were held out")
    found.add_argument("out", type=Path, help="directory for the answers and the table")
    found.add_argument(
        "--model",
        dest="contenders",
        metavar="NAME=MODEL[:FORMAT]",
        type=Contender.from_argument,
        action="append",
        required=True,
        help="a contender; may be given several times",
    )
    found.add_argument(
        "--backend",
        choices=get_args(Backend),
        default="auto",
        help="what runs them; auto is what the server would choose (default: %(default)s)",
    )
    found.add_argument("--samples", type=int, default=SAMPLES, help="holes (default: %(default)s)")
    found.add_argument("--kind", choices=KINDS, default="", help="only those holes")
    found.add_argument("--language", default="", help="only those holes")
    found.add_argument("--seed", type=int, default=1, help="which holes (default: %(default)s)")
    found.add_argument("--anchored", action="store_true", help="ask in the middle of a session too")
    found.add_argument("--raw", action="store_true", help="ask without trigger, stops and filters too")
    found.add_argument("--resume", action="store_true", help="keep the answers that OUT holds")
    return found


def main() -> int:
    """Run the command; 1 if a model could not be asked."""
    try:
        sys.stdout.write(compare(parser().parse_args()))
    except FimLsError as error:
        _console.print(f"[red]{error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(leave(main()))
