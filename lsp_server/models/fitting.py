"""Whether a model fits into the memory of the devices, told before anything large is fetched or loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lsp_server.errors import ModelLoadError
from lsp_server.models.architectures import Config
from lsp_server.models.catalogue import find, smaller_siblings
from lsp_server.models.memory import WEIGHT_BYTES, Memory, estimate, in_words
from lsp_server.models.shape import Shape, of_config

FreeBytes = Mapping[str, int]
"""Free memory by device, of those that the model may be spread over, in bytes."""


@dataclass(frozen=True)
class Wish:
    """A model as it is about to be loaded.

    Attributes:
        name: of the hub, or for people.
        dtype: a number format, as torch names it, or ``int8`` or ``int4``.
        context_tokens: the longest prompt and answer together, in tokens.
        config: what its ``config.json`` says, if that is at hand.
    """

    name: str
    dtype: str
    context_tokens: int
    config: Config | None = None


def refuse_what_cannot_fit(wish: Wish, free: FreeBytes, dtypes: Sequence[str]) -> None:
    """Refuse a model that is larger than the memory, naming the nearest choice that is not.

    A model of which too little is known to tell is let through.

    Args:
        wish: the model.
        free: the memory it may have.
        dtypes: the number formats that can be had on these devices.

    Raises:
        ModelLoadError: it cannot fit.
    """
    shape = _shape(wish)
    if shape is None:
        return
    needed = estimate(shape, wish.dtype, wish.context_tokens)
    room = sum(free.values())
    if needed.total <= room:
        return
    nearest = next((words for words, memory in _choices(wish, shape, dtypes) if memory.total <= room), None)
    advice = f"{nearest} would fit" if nearest else "no smaller choice that is known would fit"
    message = (
        f"{wish.name} in {wish.dtype} takes about {in_words(needed.total)} of memory "
        f"({in_words(needed.weights + needed.scales)} for its weights and {in_words(needed.cache)} for "
        f"{wish.context_tokens:,} tokens of context), but {_free_in_words(free)}; {advice}."
    )
    raise ModelLoadError(message)


def _shape(wish: Wish) -> Shape | None:
    config = wish.config or {}
    if "quantization_config" in config:  # smaller already, by as much as only its own library knows
        return None
    if shape := of_config(config):
        return shape
    entry = find(wish.name)
    return entry.shape if entry else None


def _choices(wish: Wish, shape: Shape, dtypes: Sequence[str]) -> Iterator[tuple[str, Memory]]:
    """What could be loaded in its place, the nearest first: smaller formats, then smaller siblings."""
    size = WEIGHT_BYTES[wish.dtype]
    smaller = [dtype for dtype, each in WEIGHT_BYTES.items() if each < size and dtype in dtypes]
    for dtype in smaller:
        yield f"dtype {dtype}", estimate(shape, dtype, wish.context_tokens)
    entry = find(wish.name)
    for sibling in smaller_siblings(entry) if entry else ():
        for dtype in (wish.dtype, *smaller):
            context_tokens = min(wish.context_tokens, sibling.context_tokens)
            yield f"{sibling.name} in {dtype}", estimate(sibling.shape, dtype, context_tokens)


def _free_in_words(free: FreeBytes) -> str:
    parts = [f"{device} has {in_words(size)} free" for device, size in free.items()]
    return " and ".join(parts) or "no device has any free"
