"""The tokenizer that a GGUF file carries, exact to the token with llama.cpp's own."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer

from lsp_server.errors import ModelLoadError
from lsp_server.models.encoders import byte_level, sentencepiece
from lsp_server.models.gguf import Gguf
from lsp_server.models.pretokenizers import PRETOKENIZERS
from lsp_server.models.vocabulary import Vocabulary, read_vocabulary


class GgufTokenizer:
    """Turns text into the ids of one model's vocabulary and back.

    Text never gives the id of a special piece, however it is spelled.

    Args:
        gguf: the header of the model's file.

    Raises:
        ModelDamagedError: the file lacks its vocabulary.
        ModelLoadError: the vocabulary is of a kind that is not known here.
    """

    def __init__(self, gguf: Gguf) -> None:
        self._vocabulary = read_vocabulary(gguf)
        self._encoder = _encoder(gguf, self._vocabulary)
        self._hole = len(self._vocabulary.pieces)

    def encode(self, text: str) -> list[int]:
        """Ids of plain text; the spelling of a special piece is not that piece."""
        # An editor may send half of a surrogate pair, for which UTF-8 has no place.
        whole = text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        ids: list[int] = self._encoder.encode(whole, add_special_tokens=False).ids
        return [index for index in ids if index != self._hole] if self._hole in ids else ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids, special pieces as they are spelled; a cut character becomes U+FFFD."""
        pieces = [self._vocabulary.pieces[index] for index in ids]
        return str(self._encoder.decoder.decode(pieces))

    def count(self, text: str) -> int:
        """How many tokens a text has."""
        return len(self.encode(text))

    def special_id(self, piece: str) -> int | None:
        """Id of a special piece, None when the vocabulary has none of that name."""
        return self._vocabulary.special.get(piece)


def _encoder(gguf: Gguf, vocabulary: Vocabulary) -> Tokenizer:
    kind = gguf.metadata.get("tokenizer.ggml.model")
    pre = gguf.metadata.get("tokenizer.ggml.pre", "default")
    if kind == "gpt2" and pre in PRETOKENIZERS:
        return byte_level(vocabulary, PRETOKENIZERS[str(pre)])
    if kind == "llama" and vocabulary.scores:
        space_prefix = gguf.metadata.get("tokenizer.ggml.add_space_prefix", True)
        return sentencepiece(vocabulary, space_prefix=bool(space_prefix))
    message = f"The tokenizer of the model {gguf.path} is of a kind that is not known: {kind}, {pre}."
    raise ModelLoadError(message)
