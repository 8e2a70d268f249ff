"""One line, where the model is asked for more than its likeliest tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lsp_server.backends.base import GenerationRequest, OneLine, SecondTry, is_visible
from lsp_server.completion.document import Snapshot
from lsp_server.completion.elsewhere import lines_elsewhere
from lsp_server.completion.unfinished import is_left_open
from lsp_server.engine.job import Model, Note

FOLLOWING_TOKENS = 4
"""More tell no better which line they follow."""
FOLLOWING_CHARACTERS = 100


def as_one_line(
    request: GenerationRequest,
    place: Snapshot,
    model: Model,
    note: Note,
    is_shown: Callable[[str], bool],
) -> GenerationRequest:
    """The request, with what its one line is chosen by among several; unchanged where it is not.

    For the rest of a line several are written only if the likeliest comes to nothing: that would gain less,
    and while one types within a line each key may ask anew. But the file may have a line elsewhere that it
    is likely to be.

    Args:
        request: for the likeliest tokens.
        place: where the line is.
        model: what is asked.
        note: told what there is to choose from.
        is_shown: whether the filters leave anything of a text.
    """
    tokenizer = model.loaded.tokenizer
    can_weigh = model.form.weighs_lines and model.loaded.weighs_lines
    if not (can_weigh and request.sampling.temperature == 0 and tokenizer):
        return request
    elsewhere = tuple(lines_elsewhere(place))
    if elsewhere:
        note("elsewhere", f"lines between the same lines: {len(elsewhere)}")
    following = tokenizer.encode(place.suffix[:FOLLOWING_CHARACTERS])[:FOLLOWING_TOKENS]

    def is_line(text: str) -> bool:
        return is_shown(text) and not is_left_open(place, _on_cursor_line(text))

    several = OneLine(tuple(following), is_line, elsewhere)
    if not place.line_prefix.strip():
        return replace(request, one_line=several)
    known = replace(several, is_varied=False) if elsewhere else None
    return replace(request, one_line=known, second_try=_second_try(several, place, note))


def _second_try(several: OneLine, place: Snapshot, note: Note) -> SecondTry:
    """Another rest of a line, where the likeliest would not be shown, or where one is missing for certain."""
    is_needed = is_left_open(place)

    def comes_to_nothing(text: str) -> bool:
        nothing = not several.is_shown(text) if is_visible(_on_cursor_line(text)) else is_needed
        if nothing:
            note("second_try", "what was written comes to nothing")
        return nothing

    return SecondTry(replace(several, is_needed=is_needed), comes_to_nothing)


def _on_cursor_line(text: str) -> str:
    return text.partition("\n")[0]
