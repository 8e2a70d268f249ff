"""The tokenizer that a GGUF file carries, exact to the token with llama.cpp's own."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer

from lsp_server.errors import ModelLoadError
from lsp_server.models.encoders import byte_level, sentencepiece, without_space_prefix
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
        self._inside = self._encoder
        if gguf.metadata.get("tokenizer.ggml.model") == "llama":
            self._inside = without_space_prefix(self._encoder, self._vocabulary)
        self._hole = len(self._vocabulary.pieces)
        self.bos = _bos(gguf, self._vocabulary)

    def encode(self, text: str) -> list[int]:
        """Ids of plain text that begins here; the spelling of a special piece is not that piece."""
        return self._ids(self._encoder, text)

    def encode_inside(self, text: str) -> list[int]:
        """Ids of plain text that goes on, with no blank put before it as SentencePiece would."""
        return self._ids(self._inside, text)

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

    @property
    def text_pieces(self) -> list[str]:
        """Spelling of each piece that a text may give, as the vocabulary writes it; empty for all others."""
        special = set(self._vocabulary.special.values())
        return ["" if index in special else piece for index, piece in enumerate(self._vocabulary.pieces)]

    def _ids(self, encoder: Tokenizer, text: str) -> list[int]:
        # An editor may send half of a surrogate pair, for which UTF-8 has no place.
        whole = text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        ids: list[int] = encoder.encode(whole, add_special_tokens=False).ids
        return [index for index in ids if index != self._hole] if self._hole in ids else ids


def _bos(gguf: Gguf, vocabulary: Vocabulary) -> str:
    """The piece that the file puts before every text; without a word of it, as llama.cpp does."""
    pre = PRETOKENIZERS.get(str(gguf.metadata.get("tokenizer.ggml.pre")))
    by_kind = gguf.metadata.get("tokenizer.ggml.model") == "llama" or (pre is not None and pre.ignores_merges)
    number = gguf.metadata.get("tokenizer.ggml.bos_token_id")
    if not gguf.metadata.get("tokenizer.ggml.add_bos_token", by_kind) or not isinstance(number, int):
        return ""
    return vocabulary.pieces[number] if number < len(vocabulary.pieces) else ""


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
