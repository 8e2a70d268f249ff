"""``fim-ls serve``: the language server."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lsp_server import log
from lsp_server.cli.leave import let_go
from lsp_server.cli.options import add_settings, command_line_values, settings_of
from lsp_server.completer import Completer
from lsp_server.completion.anchor import Anchors
from lsp_server.engine.engine import Engine
from lsp_server.errors import SettingsError
from lsp_server.lsp import server
from lsp_server.lsp.options import Layers
from lsp_server.settings import read_file, user_file

logger = logging.getLogger(__name__)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--stdio", action="store_true", help="speak over standard input and output (default)")
    where.add_argument("--tcp", metavar="HOST:PORT", help="listen for TCP; a port alone listens on loopback")
    where.add_argument(
        "--ws", metavar="HOST:PORT", help="listen for WebSocket; a port alone listens on loopback"
    )
    parser.add_argument("--log-file", metavar="FILE", help="write the log there instead of to standard error")
    parser.add_argument(
        "--log-level", choices=log.LEVELS, default="warning", help="debug also logs source text (warning)"
    )
    # vscode-languageclient adds it; the parent is known from the initialize request as well.
    parser.add_argument("--clientProcessId", type=int, help=argparse.SUPPRESS)
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until the client or the user ends it."""
    log.set_up(arguments.log_level, arguments.log_file)
    with hosting(arguments) as (new_completer, layers):
        if arguments.tcp:
            return server.serve_tcp(*_address(arguments.tcp), new_completer, layers)
        if arguments.ws:
            return server.serve_ws(*_address(arguments.ws), new_completer, layers)
        return server.serve_stdio(new_completer, layers)


@contextmanager
def hosting(arguments: argparse.Namespace) -> Iterator[tuple[Callable[[], Completer], Layers]]:
    """One engine for all clients: what makes a client's completer, and what is said of settings so far."""
    user = _user_values()
    settings = settings_of(arguments, user)
    engine = Engine(settings)

    def new_completer() -> Completer:
        return Completer(engine, settings, anchors=Anchors())

    try:
        yield new_completer, Layers(user, command_line_values(arguments))
    finally:
        let_go(engine)


def _user_values() -> dict[str, Any]:
    """What the user's own file says; a file that cannot be read costs its settings, not the server."""
    try:
        return read_file(user_file())
    except SettingsError as error:
        logger.warning("%s", error)
        return {}


def _address(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT`` or ``PORT``.

    Raises:
        SettingsError: no port in it.
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        message = f"{text!r} is not of the form HOST:PORT."
        raise SettingsError(message)
    return host.strip("[]") or "127.0.0.1", int(port)
