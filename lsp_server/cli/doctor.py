"""``fim-ls doctor``: what is installed, what the model is, and whether it works here."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib import metadata

from rich.console import Console
from rich.markup import escape

from lsp_server.cli.options import add_settings, settings_of
from lsp_server.cli.terminal import Answer, complete_all
from lsp_server.completion.document import Document, Snapshot
from lsp_server.completion.trigger import Ask
from lsp_server.engine.loading import choose_backend, tokenizer_and_format
from lsp_server.errors import FimLsError
from lsp_server.settings import Settings, user_file

LIBRARIES = (
    "fim-ls",
    "pygls",
    "lsprotocol",
    "xllamacpp",
    "tokenizers",
    "httpx",
    "torch",
    "transformers",
    "accelerate",
)
PROBE = ("def add(a, b):\n    return |\n", "a + b")
"""The golden infill: what any code model writes here."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``ok`` is None where there is nothing to judge."""

    name: str
    ok: bool | None
    detail: str


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Look at everything; 1 when something is not as it should be."""
    settings = replace(settings_of(arguments), enabled=True, disabled_languages=())
    findings = [*installation(), *model(settings)]
    if arguments.json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings]}))
    else:
        console = Console()
        marks = {True: "[green]ok[/]", False: "[red]no[/]", None: "  "}
        for finding in findings:
            detail = escape(finding.detail)
            console.print(f"{marks[finding.ok]:>2} {finding.name:<12} {detail}", highlight=False)
    return int(any(finding.ok is False for finding in findings))


def installation() -> Iterator[Finding]:
    """Python, the machine, the libraries and the user's file of settings."""
    yield Finding("python", None, f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in LIBRARIES:
        try:
            yield Finding(name, None, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, None, "not installed")
    yield Finding("settings", None, f"{user_file()}{'' if user_file().exists() else ' (not there)'}")


def model(settings: Settings) -> Iterator[Finding]:
    """The model of the settings: its backend, its template, a probe, and how fast it answers."""
    try:
        yield Finding("model", None, settings.model)
        yield Finding("backend", None, choose_backend(settings))
        yield template(settings)
        before, after = PROBE[0].split("|")
        document = Document("file:///doctor/probe.py", "python", before + after)
        yield from probe(settings, document.at_offset(len(before)))
    except FimLsError as error:
        yield Finding("model", False, str(error))


def template(settings: Settings) -> Finding:
    """Whether each sentinel of the model's prompt format is one piece of its vocabulary."""
    tokenizer, form = tokenizer_and_format(settings)
    if tokenizer is None:
        return Finding("template", None, f"{form.name} ({form.order}); the engine has the tokenizer")
    missing = [piece for piece in form.sentinels if tokenizer.special_id(piece) is None]
    lacks = f", but the vocabulary lacks {', '.join(missing)}" if missing else ""
    return Finding("template", not missing, f"{form.name} ({form.order}){lacks}")


def probe(settings: Settings, snapshot: Snapshot) -> Iterator[Finding]:
    """Ask for the golden infill, then on another document once more, which finds the model warm."""
    again = Document("file:///doctor/again.py", "python", snapshot.document.text).at_offset(snapshot.offset)
    cold, warm = complete_all(settings, [(snapshot, Ask(invoked=True)), (again, Ask(invoked=True))])
    text = cold.completion.suggestions[0].text if cold.completion.suggestions else ""
    yield Finding("device", None, cold.device)
    yield Finding("probe", text.startswith(PROBE[1]), f"wrote {text!r} where {PROBE[1]!r} belongs")
    yield Finding("first", None, _latency(cold))
    yield Finding("again", None, _latency(warm))


def _latency(answer: Answer) -> str:
    timings, usage = answer.completion.timings, answer.completion.usage
    return (
        f"{timings.prefill + timings.decode:.0f} ms: {usage.prompt_tokens} tokens read"
        f" ({usage.cached_tokens} from the cache), {usage.completion_tokens} written"
    )
