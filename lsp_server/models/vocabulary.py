"""The pieces of a GGUF file's vocabulary, parted into those that text may give and those it may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lsp_server.completion.families import PIECES
from lsp_server.errors import ModelDamagedError
from lsp_server.models.gguf import Gguf

_NORMAL, _USER_DEFINED, _BYTE = 1, 4, 6
"""Types of pieces, as GGUF numbers them; there are others, all of them special."""


@dataclass(frozen=True)
class Vocabulary:
    """The pieces of one model, by spelling and by id.

    Attributes:
        pieces: all of them; the index is the id.
        plain: ids of the pieces that text is merged into.
        bytes: ids of the pieces that spell one byte each; empty where every piece is spelled in bytes.
        spaces: ids of the runs of white space that are taken out of a text before it is merged.
        special: ids of all others, such as sentinels and ends. Text never gives one of these.
        scores: how early each piece is merged, by id; empty where there is a list of merges instead.
        merges: pairs of pieces in the order they are merged, parted by a blank.
    """

    pieces: list[str]
    plain: Mapping[str, int]
    bytes: Mapping[str, int]
    spaces: Mapping[str, int]
    special: Mapping[str, int]
    scores: tuple[float, ...]
    merges: list[str]


def read_vocabulary(gguf: Gguf) -> Vocabulary:
    """The vocabulary of a file.

    Raises:
        ModelDamagedError: it has none, or one whose parts do not fit together.
    """
    pieces = gguf.texts("tokenizer.ggml.tokens")
    types = gguf.numbers("tokenizer.ggml.token_type")
    scores = gguf.numbers("tokenizer.ggml.scores")
    if not pieces or len(types) != len(pieces) or len(scores) not in (0, len(pieces)):
        message = f"The model {gguf.path} lacks its tokenizer."
        raise ModelDamagedError(message)
    kinds: dict[str, dict[str, int]] = {"plain": {}, "bytes": {}, "spaces": {}, "special": {}}
    for index, (piece, number) in enumerate(zip(pieces, types, strict=True)):
        kinds[_kind(piece, number)][piece] = index
    return Vocabulary(pieces, **kinds, scores=scores, merges=gguf.texts("tokenizer.ggml.merges"))


def _kind(piece: str, number: float) -> str:
    """The attribute of ``Vocabulary`` that a piece belongs to.

    Pieces that the authors of a model added are runs of white space or names in angle brackets, and many
    a converter marks sentinels as nothing more than added; so only the runs are part of a text. Some
    even leave them among the pieces of text, as Code Llama's own vocabulary does.
    """
    if number == _NORMAL:
        return "special" if piece in PIECES else "plain"
    if number == _BYTE:
        return "bytes"
    return "spaces" if number == _USER_DEFINED and piece.isspace() else "special"
