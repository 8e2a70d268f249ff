"""Whether a model fills in the middle: it is given holes that only what follows them can fill.

A vocabulary with the sentinels of a family proves nothing. So a model of which nothing else is known is asked
for a name that stands in the suffix alone; who never learned to look there can only guess.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from lsp_server.backends.base import FinishReason, GenerationRequest, LoadedModel, SamplingParams
from lsp_server.completion.context import counter
from lsp_server.completion.fim import FimFormat, FimPrompt, render
from lsp_server.completion.instruct import INSTRUCT_FORMATS
from lsp_server.engine.job import Ask, Model, Prepared

logger = logging.getLogger(__name__)

MOST_NEW_TOKENS = 24
"""For each hole; the right answers take at most half as many."""
ENOUGH = 2
"""How many of the holes must be filled; as many that are not end the trial."""


class Hole(NamedTuple):
    """A hole in a text, and the word that belongs in it, which nothing before it suggests."""

    prefix: str
    suffix: str
    word: str


HOLES = (
    Hole("import ", "\n\nprint(zlib.crc32(b'abc'))\n", "zlib"),
    Hole("def ", "(radius):\n    return 3.14159 * radius**2\n\n\nprint(disc_area(3))\n", "disc_area"),
    Hole("def count(boxes):\n    total = 0\n    for ", " in boxes:\n        total += parcel\n", "parcel"),
)


def settled(prepared: Prepared, loaded: LoadedModel, ask: Ask) -> Model:
    """A model that was just loaded, once it is known how it is asked.

    Raises:
        FimLsError: it had to be tried, and failed or is no longer wanted.
    """
    model = Model(loaded, prepared.form, counter(loaded.tokenizer), prepared.instruct)
    if prepared.settle is None:
        return model
    identity = prepared.settle(loaded, ask)
    logger.info("%s: %s", identity.form.name, identity.sentence)
    instruct = INSTRUCT_FORMATS.get(identity.instruct)
    return replace(model, form=identity.form, instruct=instruct, identity=identity)


def find_format(forms: Iterable[FimFormat], loaded: LoadedModel, ask: Ask) -> FimFormat | None:
    """The first format in which a model fills in the middle, None for none.

    Raises:
        FimLsError: the model failed, or is no longer wanted.
    """
    return next((form for form in forms if fills(form, loaded, ask)), None)


def fills(form: FimFormat, loaded: LoadedModel, ask: Ask) -> bool:
    """Whether a model fills most of the holes in a format, and then stops by itself."""
    filled = failed = 0
    for hole in HOLES:
        text, reason = ask(request_for(hole, form, loaded))
        is_filled = hole.word in text and reason is FinishReason.STOP
        filled, failed = filled + is_filled, failed + (not is_filled)
        if ENOUGH in (filled, failed):
            break
    return filled >= ENOUGH


def request_for(hole: Hole, form: FimFormat, loaded: LoadedModel) -> GenerationRequest:
    """The request that asks for a hole."""
    prompt = render(FimPrompt(hole.prefix, hole.suffix), form, loaded.tokenizer, heal=loaded.heals)
    return GenerationRequest(
        prompt.text,
        prompt.ids,
        prompt.healed,
        prompt.stop_ids,
        prompt.stop_strings,
        SamplingParams(MOST_NEW_TOKENS),
    )
