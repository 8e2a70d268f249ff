"""Healing the cursor: the first tokens must spell again what was taken off the end of the prompt.

A cursor stands inside a word or after typed indentation more often than not, and the vocabulary joins both
to what comes next. So the prompt ends before them, and the tokens are held to that text until it is spelled.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property

BLANKS = (b" ", b"\t")


def keeps_indentation(healed: str) -> bool:
    """Whether ``healed`` ends in typed indentation, so that no further blank or tab may follow it.

    Otherwise a longer piece of indentation would take the place of the typed one.
    """
    return healed.endswith((" ", "\t")) and healed.isspace()


class Vocabulary:
    """The pieces of a vocabulary as bytes.

    Args:
        pieces: by token id; empty for special pieces and for holes.
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    def piece(self, token: int) -> bytes:
        """What a token spells; empty for a special piece, a hole, or the padding of the embeddings."""
        return self._pieces[token] if token < len(self._pieces) else b""

    def spelled(self, tokens: Iterable[int]) -> bytes:
        """What tokens spell together."""
        return b"".join(map(self.piece, tokens))

    def spelling(self, text: bytes) -> list[int]:
        """Tokens that spell a beginning of ``text``, or all of it and perhaps more."""
        shorter = [token for end in range(1, len(text)) for token in self._equal(text[:end])]
        return shorter + self.beginning_with(text)

    def beginning_with(self, text: bytes) -> list[int]:
        """Tokens whose piece begins with ``text``, which ends in a whole character."""
        # No whole character ends in the byte 255, so the next larger text is one larger in its last byte.
        after = text[:-1] + bytes([text[-1] + 1])
        texts, tokens = self._in_order
        return tokens[bisect_left(texts, text) : bisect_left(texts, after)]

    def _equal(self, text: bytes) -> list[int]:
        texts, tokens = self._in_order
        return tokens[bisect_left(texts, text) : bisect_right(texts, text)]

    @cached_property
    def _in_order(self) -> tuple[list[bytes], list[int]]:
        """The pieces sorted, and the token of each."""
        tokens = sorted(range(len(self._pieces)), key=self._pieces.__getitem__)
        return [self._pieces[token] for token in tokens], tokens


class Healing:
    """What the next token may be, from the first one of a generation on.

    Args:
        healed: what must be spelled first; may be empty.
        vocabulary: the model's.
    """

    def __init__(self, healed: str, vocabulary: Vocabulary) -> None:
        self._left = healed.encode()
        self._no_blank = keeps_indentation(healed)
        self._vocabulary = vocabulary

    def allowed(self) -> list[int] | None:
        """The only tokens that may come next; None while the choice is free."""
        if not self._left:
            return None
        tokens = self._vocabulary.spelling(self._left)
        return [token for token in tokens if not (self._no_blank and self._brings_blank(token))]

    def forbidden(self) -> list[int]:
        """Tokens that may not come next although the choice is free."""
        if self._left or not self._no_blank:
            return []
        return [token for blank in BLANKS for token in self._vocabulary.beginning_with(blank)]

    @property
    def left(self) -> bytes:
        """What must still be spelled."""
        return self._left

    def brings_new(self, token: int) -> bool:
        """Whether a token spells anything behind what must be spelled."""
        return not self._left or len(self._vocabulary.piece(token)) > len(self._left)

    def take(self, token: int) -> bool:
        """Go on by the token that was chosen; whether it spelled something new."""
        piece, new = self._vocabulary.piece(token), self.brings_new(token)
        self._left = self._left[len(piece) :]
        self._no_blank = self._no_blank and not new
        return new

    def _brings_blank(self, token: int) -> bool:
        return self._vocabulary.piece(token)[len(self._left) :].startswith(BLANKS)
