"""The command line; the only place that joins the parts.

Each command is a module with ``add`` (its arguments) and ``run`` (what it does, an exit code).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from lsp_server import __version__
from lsp_server.cli import complete, demo, doctor, models, prompt, serve
from lsp_server.errors import FimLsError, UserError

COMMANDS = (serve, complete, prompt, models, doctor, demo)


def parser() -> argparse.ArgumentParser:
    """The parser of ``fim-ls`` with all its commands."""
    top = argparse.ArgumentParser(
        prog="fim-ls",
        description="A language server that writes the code at the cursor with a fill-in-the-middle model.",
    )
    top.add_argument("--version", action="version", version=f"fim-ls {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``fim-ls``; 0 done, 1 it failed, 2 it was asked for wrongly, 130 interrupted."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except UserError as error:
        print(f"fim-ls: {error}", file=sys.stderr)
        return 2
    except FimLsError as error:
        print(f"fim-ls: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; what Python would still flush has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
