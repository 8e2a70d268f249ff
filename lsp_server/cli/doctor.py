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
from lsp_server.engine.loading import choose_backend, tokenizer_and_identity
from lsp_server.errors import FimLsError
from lsp_server.models.memory import in_words
from lsp_server.models.registry import REGISTRY
from lsp_server.settings import Settings, user_file

LIBRARIES = (
    "fim-ls",
    "pygls",
    "lsprotocol",
    "ik-llama-cpp-python",
    "xllamacpp",
    "tokenizers",
    "numpy",
    "gguf",
    "safetensors",
    "httpx",
    "torch",
    "transformers",
    "accelerate",
    "peft",
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
        yield Finding("model", None, _titled(settings.model))
        yield Finding("backend", None, choose_backend(settings))
        yield template(settings)
        before, after = PROBE[0].split("|")
        document = Document("file:///doctor/probe.py", "python", before + after)
        yield from probe(settings, document.at_offset(len(before)))
    except FimLsError as error:
        yield Finding("model", False, str(error))


def _titled(name: str) -> str:
    """The name of a model, with its title if it is one of ours."""
    entry = REGISTRY.get(name)
    return f"{name}, {entry.title}" if entry else name


def template(settings: Settings) -> Finding:
    """The prompt format, and how it is known; nothing to judge where no suffix is shown or a trial is due."""
    _tokenizer, identity = tokenizer_and_identity(settings)
    if identity is None:
        return Finding("template", None, "causal; nothing is known of what echoes")
    ok = None if identity.to_try or identity.how == "causal" else True
    return Finding("template", ok, f"{identity.form.name} ({identity.form.order}). {identity.sentence}")


def probe(settings: Settings, snapshot: Snapshot) -> Iterator[Finding]:
    """Ask for the golden infill, then on another document once more, which finds the model warm."""
    again = Document("file:///doctor/again.py", "python", snapshot.document.text).at_offset(snapshot.offset)
    cold, warm = complete_all(settings, [(snapshot, Ask(invoked=True)), (again, Ask(invoked=True))])
    text = cold.completion.suggestions[0].text if cold.completion.suggestions else ""
    yield Finding("device", None, cold.device)
    if cold.memory_bytes is not None:
        yield Finding("memory", None, f"{in_words(cold.memory_bytes)} of weights, as measured")
    if cold.identity is not None and cold.identity.how == "probe":
        yield Finding("tried", None, cold.identity.sentence)
    yield Finding("probe", text.startswith(PROBE[1]), f"wrote {text!r} where {PROBE[1]!r} belongs")
    yield Finding("first", None, _latency(cold))
    yield Finding("again", None, _latency(warm))


def _latency(answer: Answer) -> str:
    timings, usage = answer.completion.timings, answer.completion.usage
    return (
        f"{timings.prefill + timings.decode:.0f} ms: {usage.prompt_tokens} tokens read"
        f" ({usage.cached_tokens} from the cache), {usage.completion_tokens} written"
    )
