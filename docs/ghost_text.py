"""Draws docs/ghost-text.svg: python docs/ghost_text.py."""

from pathlib import Path

from rich.console import Console

from lsp_server.cli.demo import sample
from lsp_server.cli.terminal import complete_once, draw
from lsp_server.completion.trigger import Ask
from lsp_server.settings import Settings

snapshot = sample()
answer = complete_once(Settings(), snapshot, Ask(invoked=True))
with Path("/dev/null").open("w", encoding="utf-8") as nowhere:
    console = Console(record=True, width=64, file=nowhere)
    draw(snapshot, answer.completion.suggestions[0], console)
console.save_svg(str(Path(__file__).with_name("ghost-text.svg")), title="fim-ls demo")
