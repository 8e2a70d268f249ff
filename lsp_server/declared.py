"""A prompt format as users declare it in the settings, for a model that is known to nobody else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

FORMAT_NAMES = (
    "causal",
    "starcoder",
    "starcoder-spm",
    "santacoder",
    "starcoder2",
    "granite",
    "stable-code",
    "refact",
    "mellum",
    "codegen2",
    "incoder",
    "code-llama",
    "code-llama-spm",
    "codestral",
    "aixcoder",
    "codegemma",
    "deepseek-coder",
    "qwen2.5-coder",
    "codeqwen",
    "granite-3.3",
    "seed-coder",
    "smollm2-spm",
)
"""The keys of ``completion.fim.FORMATS``, which settings must know before anything of it is loaded."""

TAKES = (
    "auto, the name of a format of docs/models.md, or a table of the pieces prefix, suffix and middle,"
    " the order (psm or spm) and a list of stops"
)
"""What the setting takes, in words."""

SPECIAL_PIECE = re.compile(r"▁?[<\[][^\s{}]*[>\]]")
"""How a special piece is spelled, by which it differs from a text."""


@dataclass(frozen=True)
class DeclaredFormat:
    """How a private model is asked.

    Attributes:
        prefix: the special piece before what stands before the cursor.
        suffix: the special piece before what stands behind it.
        middle: the special piece at the end; may be empty in the order ``spm``.
        order: ``psm`` for the prefix first, ``spm`` for the suffix first.
        stops: special pieces that end the middle, besides what the model itself declares as its end.
    """

    prefix: str
    suffix: str
    middle: str = ""
    order: Literal["psm", "spm"] = "psm"
    stops: tuple[str, ...] = ()


def checked_format(value: Any) -> str | DeclaredFormat | None:
    """The value of the setting ``fimFormat``, None if it is none."""
    if isinstance(value, str):
        return value if value in ("auto", *FORMAT_NAMES) else None
    return _declared(value) if isinstance(value, Mapping) else None


def _declared(said: Mapping[str, Any]) -> DeclaredFormat | None:
    order, stops = said.get("order", "psm"), said.get("stops", [])
    pieces = {key: value for key, value in said.items() if key not in ("order", "stops")}
    wanted = {"prefix", "suffix"} | ({"middle"} if order == "psm" or pieces.get("middle") else set())
    spelled = {key: value for key, value in pieces.items() if value != ""}
    if order not in ("psm", "spm") or not isinstance(stops, list | tuple) or spelled.keys() != wanted:
        return None
    if not all(map(_is_piece, (*spelled.values(), *stops))) or len({*spelled.values()}) < len(spelled):
        return None
    return DeclaredFormat(**spelled, order=order, stops=tuple(stops))


def _is_piece(value: Any) -> bool:
    return isinstance(value, str) and SPECIAL_PIECE.fullmatch(value) is not None
