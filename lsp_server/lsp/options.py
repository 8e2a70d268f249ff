"""From what an editor says to complete settings, with a list of what was not taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from lsp_server.errors import SettingsError
from lsp_server.settings import PROJECT_FILE, SECTION, Problem, Settings, camel, narrowed, read_file, updated

if TYPE_CHECKING:
    from pathlib import Path

ClientOptions = Mapping[str, Any]
"""Settings as they travel: camelCase keys, all optional, None means "not said"."""


@dataclass(frozen=True)
class Layers:
    """What is said outside the editor: in the user's own file, and on the command line."""

    user: ClientOptions = field(default_factory=dict)
    command_line: ClientOptions = field(default_factory=dict)


def unwrapped(said: object) -> ClientOptions:
    """What an editor sent, bare or under the section ``fim-ls``; empty if it is no table."""
    if not isinstance(said, Mapping):
        return {}
    return unwrapped(said[SECTION]) if SECTION in said else said


def concerns_us(said: object) -> bool:
    """Whether pushed settings are about this server; some editors push those of all, some push none."""
    known = {camel(field.name) for field in fields(Settings)}
    return isinstance(said, Mapping) and (SECTION in said or not known.isdisjoint(said))


def resolve(
    layers: Layers, *editor_values: object, root: Path | None = None
) -> tuple[Settings, list[Problem]]:
    """Put all that is said into one; what is wrong keeps the value from the layer below.

    Args:
        layers: the user's file and the command line.
        editor_values: what the editor sent, bare or under its section; the last one wins.
        root: folder of the opened project, whose own file may narrow the settings.

    Returns:
        The settings, and a problem for each value that was not taken.
    """
    settings, problems = Settings(), list[Problem]()
    sources = (
        ("The user's settings file", layers.user),
        *(("The editor's settings", unwrapped(values)) for values in editor_values),
        ("The command line", layers.command_line),
    )
    for source, values in sources:
        settings, wrong = updated(settings, values, source)
        problems += wrong
    if root is not None:
        settings, wrong = _narrowed_by_project(settings, root)
        problems += wrong
    return settings, problems


def _narrowed_by_project(settings: Settings, root: Path) -> tuple[Settings, list[Problem]]:
    path = root / PROJECT_FILE
    try:
        return narrowed(settings, read_file(path), str(path))
    except SettingsError as error:
        return settings, [Problem(PROJECT_FILE, str(error))]
