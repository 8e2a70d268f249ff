"""Draws docs/ghost-text.svg: python docs/ghost_text.py."""

import re
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
picture = console.export_svg(title="fim-ls demo")
# The fonts would be fetched from elsewhere; the reader's own will do.
picture = re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)
Path(__file__).with_name("ghost-text.svg").write_text(picture, encoding="utf-8")
