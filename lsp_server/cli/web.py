"""``fim-ls demo --web``: an editor in the browser, and the language server behind it, at one address."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from lsp_server import log
from lsp_server.cli.serve import hosting
from lsp_server.lsp import server

PAGE = Path(__file__).with_name("web.html")
"""Built from editors/web."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    group = parser.add_argument_group("in the browser")
    group.add_argument("--web", action="store_true", help="edit samples in a browser instead, until Ctrl+C")
    group.add_argument(
        "--port", metavar="N", type=_port, default=0, help="the port on loopback (any that is free)"
    )
    group.add_argument("--no-browser", action="store_true", help="open no browser, only tell the address")


def run(arguments: argparse.Namespace) -> int:
    """Serve the page and its server until interrupted."""

    def announce(url: str) -> None:
        print(f"The editor is at {url}/ (Ctrl+C ends it)", flush=True)
        if not arguments.no_browser and has_display():
            open_browser(f"{url}/")

    log.set_up("warning")
    website = server.Website(PAGE.read_bytes(), announce)
    with hosting(arguments) as (new_completer, layers):
        return server.serve_ws("127.0.0.1", arguments.port, new_completer, layers, website)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        message = f"{text!r} is no port"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def has_display() -> bool:
    """Whether a browser would have a window; without one, some take the terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_browser(url: str) -> None:
    """Open the user's browser, in a process of its own: to start one takes seconds."""
    command = (sys.executable, "-m", "webbrowser", url)
    subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - the address is ours
