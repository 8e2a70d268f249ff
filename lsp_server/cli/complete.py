"""``fim-ls complete``: one completion in the terminal."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from lsp_server.cli.options import add_settings, settings_of
from lsp_server.cli.place import FORM, read_place
from lsp_server.cli.stream import nothing, stream
from lsp_server.cli.terminal import Answer, complete_once, draw
from lsp_server.completion.document import Snapshot
from lsp_server.completion.repeats import Repeat, by_length, longest_repeat
from lsp_server.completion.trigger import Ask
from lsp_server.engine.loading import choose_backend
from lsp_server.errors import SettingsError
from lsp_server.settings import Settings
from lsp_server.workspace import project_root, sources


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("place", metavar="FILE:LINE:COL", help=FORM)
    parser.add_argument(
        "--n", type=int, choices=range(1, 9), default=1, metavar="N", help="candidates, 1 to 8 (1)"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="print one JSON object")
    how.add_argument(
        "--stream",
        action="store_true",
        help="show one suggestion while it is written: drawn in a terminal; into a pipe its text alone,"
        " line by line as each is settled; not with --json, which is printed at the end, nor with --n",
    )
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Complete at a place of a file and print what came."""
    settings = settings_of(arguments)
    snapshot = read_place(arguments.place)
    if arguments.stream:
        return _stream(settings, snapshot, arguments.n)
    answer = complete_once(settings, snapshot, Ask(invoked=True, candidates=arguments.n))
    _say_what_it_cannot(answer)
    if arguments.json:
        described = as_json(answer, snapshot, settings.model, choose_backend(settings))
        repeats = [dataclasses.asdict(repeat) for repeat in repeats_of(answer, arguments.place, settings)]
        print(json.dumps(described | {"repeats": repeats}))
        return 0
    console = Console()
    suggestions = answer.completion.suggestions
    draw(snapshot, suggestions[0] if suggestions else None, console)
    for suggestion in suggestions[1:]:
        console.rule("or", style="dim")
        draw(snapshot, suggestion, console)
    if not suggestions:
        console.print(nothing(answer.completion))
    return 0


def _stream(settings: Settings, snapshot: Snapshot, candidates: int) -> int:
    """Complete at a place and show the suggestion while it is written."""
    if candidates > 1:
        message = "--stream shows one suggestion, so --n has to be 1."
        raise SettingsError(message)
    with stream(snapshot) as shown:
        answer = complete_once(settings, snapshot, Ask(invoked=True), shown.take)
        shown.end(answer.completion)
    _say_what_it_cannot(answer)
    return 0


def _say_what_it_cannot(answer: Answer) -> None:
    """Say why a model is not shown what follows the cursor, where that had to be found out."""
    identity = answer.identity
    if identity is not None and identity.how in ("causal", "probe") and not identity.form.uses_suffix:
        print(f"fim-ls: {identity.sentence}", file=sys.stderr)


def repeats_of(answer: Answer, place: str, settings: Settings) -> list[Repeat]:
    """What the suggestions repeat of other files of the project that the file of a place belongs to."""
    texts = [suggestion.text for suggestion in answer.completion.suggestions]
    own = Path(place.rsplit(":", 2)[0]).resolve()
    found = (
        longest_repeat(texts, str(path), source)
        for path, source in (sources(project_root(own), settings) if texts else ())
        if path != own
    )
    return by_length(found)


def as_json(answer: Answer, snapshot: Snapshot, model: str, backend: str) -> dict[str, Any]:
    """The object that ``--json`` prints; lines and columns count from 1, as in the argument."""
    completion = answer.completion
    best = completion.suggestions[0] if completion.suggestions else None
    line, column = snapshot.line + 1, snapshot.character + 1
    usage, timings = completion.usage, completion.timings
    return {
        "text": best.text if best else None,
        "range": {
            "start": {"line": line, "column": column},
            "end": {"line": line, "column": column + (best.replaces if best else 0)},
        },
        "candidates": [suggestion.text for suggestion in completion.suggestions],
        "model": answer.model or model,
        "backend": backend,
        "finish_reason": completion.finish_reason,
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "cached_tokens": usage.cached_tokens,
            "completion_tokens": usage.completion_tokens,
        },
        "timings_ms": {
            name: round(getattr(timings, name), 1) for name in ("queue", "prefill", "decode", "total")
        },
        "dropped_by": completion.dropped_by,
    }
