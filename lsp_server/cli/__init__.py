"""The command line; the only place that joins the parts.

Each command is a module with ``add`` (its arguments) and ``run`` (what it does, an exit code). Only the
module of the command that is run is imported: a server must not wait for what only terminals need.
"""

from __future__ import annotations

import argparse
import importlib
import io
import logging
import os
import sys
from collections.abc import Sequence

from lsp_server import __version__
from lsp_server.cli.leave import leave
from lsp_server.errors import FimLsError, UserError

COMMANDS = {
    "serve": "the language server (over stdio unless told otherwise)",
    "complete": "one completion in the terminal; with --stream, as it is written",
    "prompt": "shows the exact prompt; loads no weights",
    "models": "the models known by name: list, show, pull, remove",
    "eval": "how good the model is on your own files",
    "doctor": "versions, model, template, a golden probe, latencies",
    "demo": "completes a bundled sample and draws the ghost text",
}
"""The commands, and what each is for."""


def parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of ``fim-ls``, with the arguments of the command that ``argv`` names."""
    top = argparse.ArgumentParser(
        prog="fim-ls",
        description="A language server that writes the code at the cursor with a fill-in-the-middle model.",
    )
    top.add_argument("--version", action="version", version=f"fim-ls {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        if name in argv[:1]:
            module = importlib.import_module(f"lsp_server.cli.{name}")
            module.add(command)
            command.set_defaults(run=module.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``fim-ls``; 0 done, 1 it failed, 2 it was asked for wrongly, 130 interrupted."""
    words = sys.argv[1:] if argv is None else argv
    arguments = parser(words).parse_args(words)
    return leave(_run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    logging.getLogger("lsp_server").addHandler(logging.NullHandler())  # errors are told here, once
    try:
        for stream in (sys.stdout, sys.stderr):  # what a terminal cannot show is no reason to fail
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        code = int(arguments.run(arguments))
        sys.stdout.flush()
        return code
    except FimLsError as error:
        print(f"fim-ls: {error}", file=sys.stderr)
        return 2 if isinstance(error, UserError) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; what Python would still flush has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
