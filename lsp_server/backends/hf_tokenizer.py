"""The tokenizer of a checkpoint: text to ids, and the bytes that each id spells.

Generated text is put together from the bytes of its pieces and not by the tokenizer's own ``decode``: that
drops the blank before a first word, tidies white space, and cannot stop in the middle of a character.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from lsp_server.backends.healing import Vocabulary
from lsp_server.errors import ModelLoadError

_PROBE = "a b"
_BYTE_PIECE = re.compile(r"<0x([0-9A-F]{2})>")


class HfTokenizer:
    """Adapts a tokenizer of the transformers library to ``completion.fim.Tokenizer``."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._added: dict[str, int] = tokenizer.get_added_vocab()

    def encode(self, text: str) -> list[int]:
        """Ids of plain text; the spelling of a special piece is not that piece."""
        parts = self._inside_markers.split(text) if self._inside_markers else [text]
        return [token for part in parts for token in self._encode(part)]

    def special_id(self, piece: str) -> int | None:
        """Id of a special or added piece, None when the vocabulary has none of that name."""
        return self._added.get(piece)

    @property
    def start_id(self) -> int:
        """What stands for an empty prompt: the piece that texts start with, or else end with."""
        ids = (self._tokenizer.bos_token_id, self._tokenizer.eos_token_id)
        return next((token for token in ids if token is not None), 0)

    def vocabulary(self) -> Vocabulary:
        """The bytes of each piece, none for special ones.

        Raises:
            ModelLoadError: the vocabulary is neither of the byte-level nor of the SentencePiece kind.
        """
        spell = self._speller()
        by_text: dict[str, int] = self._tokenizer.get_vocab()
        pieces = [b""] * (max(by_text.values()) + 1)
        for text, token in by_text.items():
            pieces[token] = spell(text)
        for token, added in self._tokenizer.added_tokens_decoder.items():
            pieces[token] = b"" if added.special else added.content.encode()
        return Vocabulary(pieces)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        return ids

    @cached_property
    def _inside_markers(self) -> re.Pattern[str] | None:
        """Where to cut a text so that no added piece is found in it whole; white space may be.

        ``split_special_tokens`` passes over those added pieces that are not declared special, and some
        families declare their sentinels so.
        """
        added = self._tokenizer.added_tokens_decoder.values()
        markers = [each.content for each in added if not (each.special or each.content.isspace())]
        cuts = [f"(?<={re.escape(name[0])})(?={re.escape(name[1:])})" for name in markers if len(name) > 1]
        return re.compile("|".join(cuts)) if cuts else None

    def _speller(self) -> Callable[[str], bytes]:
        """How pieces are written in this vocabulary, found by spelling a known text."""
        pieces = self._tokenizer.convert_ids_to_tokens(self._encode(_PROBE))
        for spell in (_spell_byte_level, _spell_sentence_piece):
            if b"".join(map(spell, pieces)).lstrip() == _PROBE.encode():
                return spell
        raise ModelLoadError(
            "The model's vocabulary is neither byte-level nor SentencePiece, the two that are read."
        )


def _byte_of_character() -> dict[str, int]:
    """The byte that each character of a byte-level piece stands for.

    Printable Latin-1 characters stand for themselves, all other bytes for the characters from U+0100 on.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(0x100 + place): byte for place, byte in enumerate(others)
    }


_BYTES = _byte_of_character()


def _spell_byte_level(piece: str) -> bytes:
    if all(character in _BYTES for character in piece):
        return bytes(_BYTES[character] for character in piece)
    return piece.encode()


def _spell_sentence_piece(piece: str) -> bytes:
    if found := _BYTE_PIECE.fullmatch(piece):
        return bytes.fromhex(found[1])
    return piece.replace("\u2581", " ").encode()
