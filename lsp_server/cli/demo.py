"""``fim-ls demo``: completes a bundled sample with the embedded model and draws the ghost text.

With ``--web`` there are more of them, in an editor in the browser.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from rich.console import Console

from lsp_server.cli import web
from lsp_server.cli.options import add_settings, settings_of
from lsp_server.cli.terminal import complete_once, draw
from lsp_server.completion.document import Document, Snapshot
from lsp_server.completion.trigger import Ask

SAMPLE = '''\
"""Shapes and what can be measured of them."""

import math
from dataclasses import dataclass


@dataclass
class Circle:
    """A circle around the origin."""

    radius: float

    def area(self) -> float:
        return math.pi * self.radius ** 2

    def circumference(self) -> float:
        |

    def diameter(self) -> float:
        return 2 * self.radius
'''
"""The document of the demonstration; the bar is the cursor."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    web.add(parser)
    add_settings(parser)


def sample() -> Snapshot:
    """The bundled sample with the cursor in it."""
    before, after = SAMPLE.split("|")
    return Document("file:///demo/shapes.py", "python", before + after).at_offset(len(before))


def run(arguments: argparse.Namespace) -> int:
    """Complete the sample and draw it; 1 when the model had nothing to say."""
    if arguments.web:
        return web.run(arguments)
    settings = replace(settings_of(arguments), enabled=True)
    snapshot, console = sample(), Console()
    answer = complete_once(settings, snapshot, Ask(invoked=True))
    completion = answer.completion
    draw(snapshot, completion.suggestions[0] if completion.suggestions else None, console)
    console.print()
    if not completion.suggestions:
        console.print(f"{answer.model} has nothing to suggest here ({completion.dropped_by}).")
        return 1
    model_ms = completion.timings.prefill + completion.timings.decode
    console.print(
        f"The grey text was written by {answer.model} on {answer.device} in {model_ms:.0f} ms:"
        f" {completion.usage.prompt_tokens} tokens read, {completion.usage.completion_tokens} written.",
        highlight=False,
        markup=False,
    )
    console.print("Next: editors/ tells how to have it in yours; fim-ls doctor checks the installation.")
    return 0
