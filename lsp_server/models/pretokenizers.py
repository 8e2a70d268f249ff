"""How byte-level vocabularies part text into words before they merge bytes, by the name a GGUF file gives.

The names and what they stand for are llama.cpp's (``src/llama-vocab.cpp``): each expression parts what the
expressions before it left, into its matches and what lies between them.
"""

from __future__ import annotations

from dataclasses import dataclass

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
_CONTRACTION = r"'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"
# llama.cpp reads every blank beyond ASCII as a vertical tab, so none of them is in these ranges.
_CJK = r"[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff&&[^\s]]+"
_SPACES = r"\s*[\r\n]+|\s+(?!\S)|\s+"


def _cl100k(digits: str, word: str = r"\p{L}", symbol: str = r"[^\s\p{L}\p{N}]+[\r\n]*") -> str:
    """The expression that the vocabularies after cl100k share but for the named parts."""
    return rf"{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?{word}+|{digits}| ?{symbol}|{_SPACES}"


@dataclass(frozen=True)
class PreTokenizer:
    """The splits of one family of vocabularies.

    Attributes:
        splits: regular expressions, applied one after the other.
        ignores_merges: whether a word that is itself a piece is taken whole.
    """

    splits: tuple[str, ...]
    ignores_merges: bool = False


_GPT2_SPLITS = PreTokenizer((_GPT2,))
_SINGLE_DIGITS = PreTokenizer((r"\p{N}", _GPT2))
_QWEN2 = PreTokenizer((_cl100k(r"\p{N}"),))
_THREE_DIGITS = PreTokenizer((_cl100k(r"\p{N}{1,3}"),))
_LLAMA3 = PreTokenizer(_THREE_DIGITS.splits, ignores_merges=True)

PRETOKENIZERS = {
    "default": PreTokenizer((r"[\p{P}$+<=>^~|]+", _GPT2, r"\p{N}+", r"[0-9][0-9][0-9]")),
    **dict.fromkeys(("gpt-2", "phi-2", "mpt", "olmo", "mellum"), _GPT2_SPLITS),
    **dict.fromkeys(("starcoder", "refact", "smollm", "codeshell", "command-r", "mellum2"), _SINGLE_DIGITS),
    **dict.fromkeys(("qwen2", "stablelm2", "deepseek-r1-qwen"), _QWEN2),
    "qwen35": PreTokenizer((_cl100k(r"\p{N}", r"[\p{L}\p{M}]", r"[^\s\p{L}\p{M}\p{N}]+[\r\n]*"),)),
    **dict.fromkeys(("dbrx", "smaug-bpe"), _THREE_DIGITS),
    **dict.fromkeys(("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "lfm2"), _LLAMA3),
    "seed-coder": PreTokenizer((_cl100k(r"\p{N}", symbol=r"[^\s\p{L}\p{N}\r\n]+"),)),
    "deepseek-coder": PreTokenizer((r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _CJK, r"\p{N}")),
}
"""Pre-tokenizers by name."""
