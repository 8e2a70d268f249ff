"""Options that several commands share: settings on the command line, and the log."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from lsp_server.errors import SettingsError
from lsp_server.settings import Settings, read_file, updated, user_file

FLAGS = {"model": "model", "backend": "backend", "device": "device", "dtype": "dtype"}
"""Flags that stand for a setting of their own; all others go through ``--set``."""


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the flags that set settings."""
    group = parser.add_argument_group("settings")
    group.add_argument(
        "--model", metavar="NAME", help="registry name, GGUF file, checkpoint directory or hub name"
    )
    group.add_argument(
        "--backend", metavar="B", help="auto, transformers, ik_llama, llama_cpp, openai or echo"
    )
    group.add_argument("--device", metavar="D", help="auto, cpu, cuda, cuda:N or mps")
    group.add_argument("--dtype", metavar="T", help="auto, float32, float16, bfloat16, int8 or int4")
    group.add_argument(
        "--set",
        dest="assignments",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="any setting of docs/settings.md, for example maxNewTokens=32 or openai.baseUrl=http://127.0.0.1:8000/v1",
    )


def command_line_values(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the command line says, with the keys of the settings.

    Raises:
        SettingsError: an assignment without ``=``.
    """
    values: dict[str, Any] = {}
    for assignment in arguments.assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            message = f"--set wants KEY=VALUE, not {assignment!r}."
            raise SettingsError(message)
        *tables, last = key.split(".")
        target = values
        for table in tables:
            target = target.setdefault(table, {})
            if not isinstance(target, dict):
                message = f"--set {key}: {table} is not a table."
                raise SettingsError(message)
        target[last] = _value(text)
    flags = {key: getattr(arguments, flag) for flag, key in FLAGS.items()}
    return values | {key: value for key, value in flags.items() if value is not None}


def settings_of(arguments: argparse.Namespace, user: Mapping[str, Any] | None = None) -> Settings:
    """The settings that a command works with; the user's own file, then the command line.

    Args:
        arguments: the command line.
        user: what the user's file says, None to read it.

    Raises:
        SettingsError: a value on the command line that no setting takes, or a file that cannot be read.
    """
    said = read_file(user_file()) if user is None else user
    settings, problems = updated(Settings(), said, str(user_file()))
    for problem in problems:
        print(f"fim-ls: {problem.message}", file=sys.stderr)
    settings, problems = updated(settings, command_line_values(arguments), "command line")
    if problems:
        raise SettingsError(problems[0].message.partition("; keeping")[0].rstrip(".") + ".")
    return settings


def _value(text: str) -> Any:
    """The value as TOML writes it; what is not TOML is a text."""
    import tomllib  # noqa: PLC0415 - a server is nearly always started without

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
