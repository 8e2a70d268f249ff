"""Encoders of the two kinds of vocabularies that GGUF files carry, each merging as llama.cpp does."""

from __future__ import annotations

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from lsp_server.models.pretokenizers import PreTokenizer
from lsp_server.models.vocabulary import Vocabulary

HOLE = " hole"
"""Stands where a vocabulary lacks a byte, so that what surrounds it is not merged over it. Its id is the
number of pieces; no text gives its spelling, since blanks are gone before anything is merged."""

_BLANK = "▁"
"""How SentencePiece spells a blank."""


def byte_level(vocabulary: Vocabulary, pre_tokenizer: PreTokenizer) -> Tokenizer:
    """The encoder of a vocabulary of bytes with a list of merges."""
    ids = {**vocabulary.plain, **vocabulary.spaces, HOLE: len(vocabulary.pieces)}
    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in vocabulary.merges)]
    known = [pair for pair in pairs if "".join(pair) in ids and pair[0] in ids and pair[1] in ids]
    encoder = Tokenizer(
        models.BPE(ids, known, unk_token=HOLE, ignore_merges=pre_tokenizer.ignores_merges),
    )
    encoder.pre_tokenizer = pre_tokenizers.Sequence(
        [
            *(pre_tokenizers.Split(Regex(split), "isolated") for split in pre_tokenizer.splits),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    encoder.decoder = decoders.ByteLevel()
    return _with_spaces(encoder, vocabulary)


def sentencepiece(vocabulary: Vocabulary, *, space_prefix: bool) -> Tokenizer:
    """The encoder of a vocabulary of characters with scores, which spells in bytes what it lacks."""
    ids = {**vocabulary.plain, **vocabulary.bytes, **vocabulary.spaces, HOLE: len(vocabulary.pieces)}
    encoder = Tokenizer(models.BPE(ids, merges_by_score(vocabulary), unk_token=HOLE, byte_fallback=True))
    encoder.normalizer = normalizers.Sequence(
        [*([normalizers.Prepend(_BLANK)] if space_prefix else []), normalizers.Replace(" ", _BLANK)]
    )
    encoder.decoder = decoders.Sequence(
        [
            decoders.Replace(_BLANK, " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            *([decoders.Strip(" ", 1, 0)] if space_prefix else []),
        ]
    )
    return _with_spaces(encoder, vocabulary)


def without_space_prefix(encoder: Tokenizer, vocabulary: Vocabulary) -> Tokenizer:
    """A SentencePiece encoder of the same pieces, for texts that go on from another piece."""
    inside = Tokenizer(encoder.model)
    inside.normalizer = normalizers.Replace(" ", _BLANK)
    return _with_spaces(inside, vocabulary)


def merges_by_score(vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """Every way to put a piece together from two others, the piece of the highest score first."""
    plain = vocabulary.plain
    ranked = sorted(plain.items(), key=lambda entry: -vocabulary.scores[entry[1]])
    return [
        (piece[:cut], piece[cut:])
        for piece, _ in ranked
        for cut in range(1, len(piece))
        if piece[:cut] in plain and piece[cut:] in plain
    ]


def _with_spaces(encoder: Tokenizer, vocabulary: Vocabulary) -> Tokenizer:
    encoder.add_tokens([AddedToken(run, normalized=False) for run in vocabulary.spaces])
    return encoder
