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
from lsp_server.completion.fim import FORMATS, FimFormat, RenderedPrompt, Tokenizer, render
from lsp_server.completion.spelled import without_spelled
from lsp_server.engine.loading import choose_backend, tokenizer_and_identity
from lsp_server.models.identity import Identity


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("place", metavar="FILE:LINE:COL", help=FORM)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the prompt that a completion at this place would send."""
    settings = settings_of(arguments)
    snapshot = read_place(arguments.place)
    tokenizer, identity = tokenizer_and_identity(settings)
    form = FORMATS["causal"] if identity is None else identity.form
    backend = choose_backend(settings)
    # Without the model only the settings tell where it would run; auto is taken for a CPU.
    on_cpu = backend != "openai" and settings.device in ("auto", "cpu")
    budget = settings.prompt_tokens("cpu" if on_cpu else settings.device)
    window = select_window(snapshot, form, budget, counter(tokenizer))
    # An engine over HTTP is sent text; other prompts are ids, even if the tokenizer is not here to make them.
    shown = without_spelled(window.prompt, form) if backend == "openai" else window.prompt
    prompt = render(shown, form, tokenizer, heal=backend != "openai")
    described = as_json(prompt, form, tokenizer) | as_known(identity)
    if arguments.json:
        print(json.dumps(described))
    else:
        draw(prompt, described, Console())
    return 0


def as_json(prompt: RenderedPrompt, form: FimFormat, tokenizer: Tokenizer | None) -> dict[str, Any]:
    """What is printed with ``--json``."""
    return {
        "format": form.name,
        "order": prompt.order,
        "pieces": list(prompt.pieces),
        "text": prompt.text,
        "healed": prompt.healed,
        "sentinels": {piece: _id(piece, tokenizer) for piece in prompt.sentinels},
        "stops": {stop: _id(stop, tokenizer) for stop in (*form.stops, *form.stop_texts)},
        "token_ids": None if prompt.ids is None else list(prompt.ids),
    }


def as_known(identity: Identity | None) -> dict[str, str]:
    """How the format is known and why it is this one, as far as that can be told without the model."""
    if identity is None:
        return {}
    return {"family": identity.family, "known_by": identity.how, "why": identity.sentence}


def _id(piece: str, tokenizer: Tokenizer | None) -> int | None:
    return tokenizer.special_id(piece) if tokenizer else None


def draw(prompt: RenderedPrompt, described: dict[str, Any], console: Console) -> None:
    """Print the prompt with its sentinels set off, then what belongs to it."""
    text = Text()
    for piece in prompt.pieces:
        text.append(piece, style="bold magenta" if piece in prompt.sentinels else "")
    text.append(prompt.healed, style="reverse")
    console.print(text, soft_wrap=True)
    console.rule(style="dim")
    tokens = "unknown" if prompt.ids is None else str(len(prompt.ids))
    console.print(f"format {described['format']}, order {prompt.order}, {tokens} tokens")
    if "why" in described:
        console.print(described["why"], markup=False, highlight=False, soft_wrap=True)
    console.print(f"healed {prompt.healed!r} (taken off the prompt, the model spells it first)")
    stops = (name if number is None else f"{name} = {number}" for name, number in described["stops"].items())
    console.print("stops " + ", ".join(stops), markup=False)
