"""``fim-ls models``: what is known, what is installed, fetch and remove."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from lsp_server.backends.checkpoint import fetch, is_fetched
from lsp_server.cli import facts
from lsp_server.errors import UnknownModelError, UserError
from lsp_server.models import embedded
from lsp_server.models.catalogue import CatalogueEntry, catalogue, find, licence_notice
from lsp_server.models.registry import REGISTRY, ModelEntry, ModelSource, resolve
from lsp_server.settings import Settings, read_file, updated, user_file

ACTIONS = ("list", "show", "pull", "remove")

_WIDE = 200
"""Columns that every row of the list fits into; a name that is cut short can be neither copied nor found."""

Known = ModelEntry | CatalogueEntry | ModelSource
"""A model of ours, one of the hub of which something is known, or a place where one lies."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("action", choices=ACTIONS, nargs="?", default="list", help="what to do (list)")
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="which model; the embedded one if none is said"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object (list, show)")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked with the models."""
    if arguments.action == "list":
        show_all(as_json=arguments.json)
        return 0
    console = Console()
    model = chosen(arguments.name)
    if arguments.action == "show":
        show(model, console, as_json=arguments.json)
    elif arguments.action == "pull":
        pull(model, console)
    else:
        remove(model, console)
    return 0


def chosen(name: str | None) -> Known:
    """The model of a name or a path; the embedded one when none is said.

    Raises:
        UnknownModelError: there is none.
        ModelDamagedError: a directory that lacks a part of a checkpoint.
    """
    if name is None:
        return next(iter(REGISTRY.values()))
    if entry := REGISTRY.get(name) or find(name):
        return entry
    return resolve(name)


def show_all(*, as_json: bool) -> None:
    """One line for each model, or one object with all of them."""
    if as_json:
        listed = [*map(facts.of_ours, REGISTRY.values()), *map(facts.of_known, catalogue().values())]
        print(json.dumps({"models": listed}))
        return
    table = Table("model", "parameters", "context", "licence", "format", box=None)
    for row in _rows():
        table.add_row(*row)
    Console(width=_WIDE).print(table)


def _rows() -> Iterator[tuple[str, str, str, str, str]]:
    for ours in REGISTRY.values():
        size, context = _count(ours.parameters), str(ours.context_tokens)
        is_there = embedded.installed(ours) is not None
        yield _marked(ours.name, is_there), size, context, ours.licence, ours.fim_format
    for entry in catalogue().values():
        size, context = _count(entry.parameters), str(entry.context_tokens)
        is_there = is_fetched(entry.name)
        yield _marked(entry.name, is_there), size, context, entry.licence.name, entry.format


def _marked(name: str, is_installed: bool) -> str:
    return f"{name} (installed)" if is_installed else name


def _count(parameters: int) -> str:
    return f"{parameters / 1e9:.1f} B" if parameters >= 1e9 else f"{parameters / 1e6:.0f} M"


def show(model: Known, console: Console, *, as_json: bool) -> None:
    """All that is known of a model.

    Raises:
        UnknownModelError: of a model of the hub nothing is known.
        ModelError: a file that cannot be read.
    """
    known = _facts(model)
    if as_json:
        print(json.dumps(known))
        return
    for line in facts.lines(known):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _facts(model: Known) -> facts.Facts:
    if isinstance(model, ModelEntry):
        return facts.of_ours(model)
    if isinstance(model, CatalogueEntry):
        return facts.of_known(model)
    if model.kind == "hub":
        message = f"Nothing is known of {model.name}; `fim-ls models list` names the models that are known."
        raise UnknownModelError(message)
    return facts.of_path(model)


def pull(model: Known, console: Console) -> None:
    """Say under which licence a model comes, and fetch it.

    Raises:
        ModelError: it could not be had.
    """
    if isinstance(model, ModelEntry):
        _say(console, f"{model.name} comes under the licence {model.licence}.")
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task(f"Fetching {model.name}", total=1.0)
            path = embedded.fetch(model, lambda share: progress.update(task, completed=share), lambda: False)
    elif isinstance(model, ModelSource) and model.path:
        path = model.path
    else:
        _say(console, licence_notice(model.name))
        with console.status(f"Fetching {model.name}"):
            path = fetch(model.name, _users_settings())
    _say(console, f"{model.name} is installed: {path}")


def _users_settings() -> Settings:
    path = user_file()
    return updated(Settings(), read_file(path), str(path))[0]


def remove(model: Known, console: Console) -> None:
    """Delete the weights of a model of ours.

    Raises:
        UserError: it is not ours to delete.
    """
    if not isinstance(model, ModelEntry):
        message = f"{model.name} is not kept by fim-ls; `hf cache rm` deletes models of the hub."
        raise UserError(message)
    gone = embedded.remove(model)
    _say(console, f"{model.name} is removed." if gone else f"{model.name} is not installed.")


def _say(console: Console, sentence: str) -> None:
    console.print(sentence, markup=False, highlight=False, soft_wrap=True)
