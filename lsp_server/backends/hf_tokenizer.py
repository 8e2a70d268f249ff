"""The tokenizer of a checkpoint: text to ids, and the bytes that each id spells.

Generated text is put together from the bytes of its pieces and not by the tokenizer's own ``decode``: that
drops the blank before a first word, tidies white space, and cannot stop in the middle of a character.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from lsp_server.backends.healing import Vocabulary
from lsp_server.completion.families import PIECES
from lsp_server.errors import ModelLoadError

_PROBE = "a b"
_STOPGAP = "\u263a"
"""Stands before a text that goes on, so that no blank is put there; no vocabulary joins it to anything."""
_BYTE_PIECE = re.compile(r"<0x([0-9A-F]{2})>")


_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json")


def is_cached(name: str) -> bool:
    """Whether the tokenizer of a hub name is in the hub's cache on this machine."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return False
    return any(isinstance(try_to_load_from_cache(name, file), str) for file in _FILES)


class HfTokenizer:
    """Adapts a tokenizer of the transformers library to ``completion.fim.Tokenizer``."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        # Some vocabularies hold their sentinels as if they were pieces of text.
        by_text: dict[str, int] = tokenizer.get_vocab()
        self._sentinels = {piece: by_text[piece] for piece in PIECES & by_text.keys()}
        self._special: dict[str, int] = self._sentinels | tokenizer.get_added_vocab()

    @cached_property
    def bos(self) -> str:
        """The special piece that the checkpoint puts before every text; empty for none."""
        ids = self._tokenizer.encode("a")
        number = self._tokenizer.bos_token_id
        return str(self._tokenizer.bos_token) if number is not None and ids[:1] == [number] else ""

    def encode(self, text: str) -> list[int]:
        """Ids of plain text that begins here; the spelling of a special piece is not that piece."""
        # Some tokenizers put no blank before a text that begins with one, as SentencePiece itself would.
        return self.encode_inside(f" {text}" if text and self._puts_blank else text)

    def encode_inside(self, text: str) -> list[int]:
        """Ids of plain text that goes on, with no blank put before it as SentencePiece would."""
        parts = self._inside_markers.split(text) if self._inside_markers else [text]
        return [token for part in parts for token in self._encode_inside(part)]

    def special_id(self, piece: str) -> int | None:
        """Id of a special or added piece, None when the vocabulary has none of that name."""
        return self._special.get(piece)

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
        for token in self._sentinels.values():
            pieces[token] = b""
        return Vocabulary(pieces)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        return ids

    def _encode_inside(self, text: str) -> list[int]:
        if not (text and self._puts_blank):
            return self._encode(text)
        return self._encode(_STOPGAP + text)[len(self._encode(_STOPGAP)) :]

    @cached_property
    def _puts_blank(self) -> bool:
        """Whether a blank is put before a text."""
        pieces = self._tokenizer.convert_ids_to_tokens(self._encode(_PROBE))
        return b"".join(map(self._speller(), pieces)).startswith(b" ")

    @cached_property
    def _inside_markers(self) -> re.Pattern[str] | None:
        """Where to cut a text so that no added piece is found in it whole; white space may be.

        ``split_special_tokens`` passes over those added pieces that are not declared special, and some
        families declare their sentinels so. A sign for a blank at the start of one need not be in the text.
        """
        added = {each.content: each.special for each in self._tokenizer.added_tokens_decoder.values()}
        undeclared = self._sentinels.keys() - added.keys()
        plain = {name for name, special in added.items() if not (special or name.isspace())}
        names = {name.lstrip("\u2581") for name in plain | undeclared}
        cuts = [f"(?<={re.escape(name[0])})(?={re.escape(name[1:])})" for name in names if len(name) > 1]
        return re.compile("|".join(sorted(cuts))) if cuts else None

    def _speller(self) -> Callable[[str], bytes]:
        """How pieces are written in this vocabulary, found by spelling a known text."""
        pieces = self._tokenizer.convert_ids_to_tokens(self._encode(_PROBE))
        for spell in (_spell_byte_level, _spell_sentence_piece):
            if b"".join(map(spell, pieces)).lstrip() == _PROBE.encode():
                return spell
        raise ModelLoadError(
            "The model's vocabulary is neither byte-level nor SentencePiece, the two that are read."
        )


def byte_level_vocabulary(pieces: Sequence[str]) -> Vocabulary:
    """A vocabulary whose pieces are byte-level; an empty one is special."""
    return Vocabulary([_spell_byte_level(piece) for piece in pieces])


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
