"""``fim-ls prompt``: the exact prompt at a place; loads no weights."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rich.console import Console
from rich.text import Text

from lsp_server.cli.options import add_settings, settings_of
from lsp_server.cli.place import FORM, read_place
from lsp_server.completion.context import counter, select_window
from lsp_server.completion.fim import FimFormat, RenderedPrompt, Tokenizer, render
from lsp_server.engine.loading import choose_backend, tokenizer_and_format


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("place", metavar="FILE:LINE:COL", help=FORM)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the prompt that a completion at this place would send."""
    settings = settings_of(arguments)
    snapshot = read_place(arguments.place)
    tokenizer, form = tokenizer_and_format(settings)
    backend = choose_backend(settings)
    # Without the model only the settings tell where it would run; auto is taken for a CPU.
    on_cpu = backend != "openai" and settings.device in ("auto", "cpu")
    budget = settings.prompt_tokens("cpu" if on_cpu else settings.device)
    window = select_window(snapshot, form, budget, counter(tokenizer))
    prompt = render(window.prompt, form, tokenizer, heal=backend != "openai")
    described = as_json(prompt, form, tokenizer)
    if arguments.json:
        print(json.dumps(described))
    else:
        draw(prompt, described, Console())
    return 0


def as_json(prompt: RenderedPrompt, form: FimFormat, tokenizer: Tokenizer | None) -> dict[str, Any]:
    """What is printed with ``--json``."""
    sentinels = {part: tokenizer.special_id(part) if tokenizer else None for part in form.sentinels}
    return {
        "format": form.name,
        "order": form.order,
        "pieces": list(prompt.pieces),
        "healed": prompt.healed,
        "sentinels": sentinels,
        "stops": {stop: tokenizer.special_id(stop) if tokenizer else None for stop in form.stops},
        "token_ids": None if prompt.ids is None else list(prompt.ids),
    }


def draw(prompt: RenderedPrompt, described: dict[str, Any], console: Console) -> None:
    """Print the prompt with its sentinels set off, then what belongs to it."""
    text = Text()
    for piece in prompt.pieces:
        text.append(piece, style="bold magenta" if piece in described["sentinels"] else "")
    text.append(prompt.healed, style="reverse")
    console.print(text, soft_wrap=True)
    console.rule(style="dim")
    tokens = "unknown" if prompt.ids is None else str(len(prompt.ids))
    console.print(f"format {described['format']}, order {described['order']}, {tokens} tokens")
    console.print(f"healed {prompt.healed!r} (taken off the prompt, the model spells it first)")
    stops = (name if number is None else f"{name} = {number}" for name, number in described["stops"].items())
    console.print("stops " + ", ".join(stops), markup=False)
