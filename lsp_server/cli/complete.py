"""``fim-ls complete``: one completion in the terminal."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rich.console import Console

from lsp_server.cli.options import add_settings, settings_of
from lsp_server.cli.place import FORM, read_place
from lsp_server.cli.terminal import Answer, complete_once, draw
from lsp_server.completion.document import Snapshot
from lsp_server.completion.trigger import Ask
from lsp_server.engine.loading import choose_backend


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("place", metavar="FILE:LINE:COL", help=FORM)
    parser.add_argument(
        "--n", type=int, choices=range(1, 9), default=1, metavar="N", help="candidates, 1 to 8 (1)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Complete at a place of a file and print what came."""
    settings = settings_of(arguments)
    snapshot = read_place(arguments.place)
    answer = complete_once(settings, snapshot, Ask(invoked=True, candidates=arguments.n))
    if arguments.json:
        print(json.dumps(as_json(answer, snapshot, settings.model, choose_backend(settings))))
        return 0
    console = Console()
    suggestions = answer.completion.suggestions
    draw(snapshot, suggestions[0] if suggestions else None, console)
    for suggestion in suggestions[1:]:
        console.rule("or", style="dim")
        draw(snapshot, suggestion, console)
    if not suggestions:
        console.print(
            f"Nothing to suggest ({answer.completion.dropped_by or answer.completion.finish_reason})."
        )
    return 0


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
