"""Whether a value is what a setting takes, and what it takes in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin


def checked(value: Any, hint: Any, metadata: Mapping[str, Any]) -> Any:
    """The value as the field wants it, None if it is not of its type or outside its bounds.

    Args:
        value: what was said.
        hint: the field's type.
        metadata: its bounds ``low`` and ``high``, or ``check`` where the type does not say all.
    """
    if (check := metadata.get("check")) is not None:
        return check(value)
    if dataclasses.is_dataclass(hint):
        return None  # a table was wanted
    if get_origin(hint) in (Literal, tuple):
        return _listed(value, hint)
    if hint in (bool, str):
        return value if type(value) is hint else None
    if value == "auto" and hint not in (int, float):
        return value
    return _number(value, hint, metadata)


def _listed(value: Any, hint: Any) -> str | tuple[str, ...] | None:
    if get_origin(hint) is Literal:
        return value if isinstance(value, str) and value in get_args(hint) else None
    is_list = isinstance(value, list | tuple) and all(isinstance(entry, str) for entry in value)
    return tuple(value) if is_list else None


def _number(value: Any, hint: Any, metadata: Mapping[str, Any]) -> int | float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not metadata["low"] <= value <= metadata["high"]:
        return None
    if hint is float:
        return float(value)
    return int(value) if value == int(value) else None


def describe_type(hint: Any, metadata: Mapping[str, Any]) -> str:
    """The values a field takes, in words; also used for the documentation."""
    if takes := metadata.get("takes"):
        return str(takes)
    if hint in (bool, str):
        return "a text" if hint is str else "true or false"
    if get_origin(hint) is tuple:
        return "a list of texts"
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(get_args(hint))
    if dataclasses.is_dataclass(hint):
        return "a table"
    number = f"a number from {metadata['low']:g} to {metadata['high']:g}"
    return number if hint in (int, float) else f"auto or {number}"
