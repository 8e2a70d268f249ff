"""The families of models and how each was taught to fill in the middle.

Each is as the family's paper, model card or authors' code has it; how far that was verified, and where it is
written, is said in the catalogue of models.
"""

from __future__ import annotations

from collections.abc import Mapping

from lsp_server.completion.formats import PREFIX, SUFFIX, FileLayout, FimFormat

_UNDERSCORED = ("<fim_prefix>", PREFIX, "<fim_suffix>", SUFFIX, "<fim_middle>")
_PIPED = ("<|fim_prefix|>", PREFIX, "<|fim_suffix|>", SUFFIX, "<|fim_middle|>")
_UNDERSCORED_STOPS = ("<|endoftext|>", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<fim_pad>")

_STARCODER_FILES = FileLayout(
    repository=("<reponame>", "{repository}"),
    own=("<filename>", "{path}"),
)
_STARCODER_STOPS = ("<|endoftext|>", "<file_sep>", "<filename>")

_STARCODERS = (
    FimFormat("starcoder", _UNDERSCORED, _STARCODER_STOPS, files=_STARCODER_FILES, causal_at_end=True),
    # Its models learned both orders; in this one the prefix stands behind the middle sentinel.
    FimFormat(
        "starcoder-spm",
        ("<fim_prefix>", "<fim_suffix>", SUFFIX, "<fim_middle>", PREFIX),
        _STARCODER_STOPS,
        files=_STARCODER_FILES,
        causal_at_end=True,
    ),
    FimFormat(
        "santacoder",
        ("<fim-prefix>", PREFIX, "<fim-suffix>", SUFFIX, "<fim-middle>"),
        ("<|endoftext|>",),
        causal_at_end=True,
    ),
    # Each file of a repository has its own holes, so the path stands inside, as the first line of the prefix.
    FimFormat(
        "starcoder2",
        _UNDERSCORED,
        ("<|endoftext|>", "<file_sep>"),
        files=FileLayout(
            repository=("<repo_name>", "{repository}"),
            other=("<file_sep>", "{path}\n", "{text}"),
            own=("<file_sep>",),
            head=("{path}\n",),
        ),
        causal_at_end=True,
    ),
    FimFormat("granite", _UNDERSCORED, _UNDERSCORED_STOPS, causal_at_end=True),
    FimFormat("stable-code", _UNDERSCORED, (*_UNDERSCORED_STOPS, "<file_sep>"), causal_at_end=True),
    FimFormat(
        "refact",
        ("<fim_suffix>", SUFFIX, "<fim_prefix>", PREFIX, "<fim_middle>"),
        ("<|endoftext|>",),
    ),
    FimFormat(
        "mellum",
        ("<fim_suffix>", SUFFIX, "<fim_prefix>", PREFIX, "<fim_middle>"),
        ("<|endoftext|>", "<filename>"),
        files=FileLayout(
            other=("<filename>", "{path}\n{lines}"),
            own=("<filename>", "{path}\n"),
            names_alone=True,
        ),
    ),
)

_MASKED = (
    FimFormat(
        "codegen2",
        (PREFIX, "<mask_1>", SUFFIX, "<|endoftext|>", "<sep>", "<mask_1>"),
        ("<|endoftext|>", "<eom>"),
        causal_at_end=True,
    ),
    # The authors put the second sentinel behind the suffix, as if there were one more hole there.
    FimFormat(
        "incoder",
        (PREFIX, "<|mask:0|>", SUFFIX, "<|mask:1|>", "<|mask:0|>"),
        ("<|endofmask|>", "<|endoftext|>"),
        bos="<|endoftext|>",
        files=FileLayout(head=("<| file ext={extension} |>\n",)),
        causal_at_end=True,
    ),
)

_LLAMA_STOPS = ("▁<EOT>", "</s>")
_AIX = ("▁<AIX-SPAN-PRE>", "▁<AIX-SPAN-POST>", "▁<AIX-SPAN-MIDDLE>")

_SENTENCE_PIECE = (
    FimFormat(
        "code-llama",
        ("▁<PRE>", PREFIX, "▁<SUF>", SUFFIX, "▁<MID>"),
        _LLAMA_STOPS,
        bos="<s>",
    ),
    FimFormat(
        "code-llama-spm",
        ("▁<PRE>", "▁<SUF>", SUFFIX, "▁<MID>", PREFIX),
        _LLAMA_STOPS,
        bos="<s>",
    ),
    FimFormat(
        "codestral",
        ("[SUFFIX]", SUFFIX, "[PREFIX]", PREFIX),
        ("</s>", "[PREFIX]", "[SUFFIX]"),
        bos="<s>",
        files=FileLayout(other=("+++++ {path}\n{lines}\n",), head=("+++++ {path}\n",), in_prefix=True),
    ),
    FimFormat(
        "aixcoder",
        (_AIX[0], _AIX[1], SUFFIX, _AIX[2], PREFIX),
        ("</s>", *_AIX),
        bos="<s>",
        files=FileLayout(
            head=(
                "{open}the file path is: {path}{close}\n",
                "{open}the code file is written by {language}{close}\n",
            ),
            names_alone=True,
        ),
    ),
    FimFormat(
        "codegemma",
        _PIPED,
        (
            "<|file_separator|>",
            "<eos>",
            "<end_of_turn>",
            "<|fim_prefix|>",
            "<|fim_suffix|>",
            "<|fim_middle|>",
        ),
        bos="<bos>",
        files=FileLayout(
            other=("<|file_separator|>", "{path}\n{text}"),
            own=("<|file_separator|>", "{path}\n"),
        ),
    ),
)

_QWEN_STOPS = (
    "<|endoftext|>",
    "<|im_end|>",
    "<|file_sep|>",
    "<|fim_pad|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|repo_name|>",
)


def _barred(name: str) -> str:
    """A piece of DeepSeek's, whose bars are the wide ones of U+FF5C."""
    return f"<\uff5c{name}\uff5c>"


_BYTE_LEVEL = (
    FimFormat(
        "deepseek-coder",
        (_barred("fim▁begin"), PREFIX, _barred("fim▁hole"), SUFFIX, _barred("fim▁end")),
        (_barred("end▁of▁sentence"),),
        bos=_barred("begin▁of▁sentence"),
        files=FileLayout(other=("#{path}\n{lines}\n",), head=("#{path}\n",), in_prefix=True),
        causal_at_end=True,
    ),
    FimFormat(
        "qwen2.5-coder",
        _PIPED,
        _QWEN_STOPS,
        files=FileLayout(
            repository=("<|repo_name|>", "{repository}\n"),
            other=("<|file_sep|>", "{path}\n{lines}"),
            own=("<|file_sep|>", "{path}\n"),
        ),
        causal_at_end=True,
        stop_texts=("<|cursor|>",),
    ),
    FimFormat(
        "codeqwen",
        _UNDERSCORED,
        ("<|endoftext|>", "<file_sep>"),
        files=FileLayout(
            repository=("<repo_name>", "{repository}\n"),
            other=("<file_sep>", "{path}\n{lines}"),
            own=("<file_sep>", "{path}\n"),
        ),
        causal_at_end=True,
    ),
    FimFormat(
        "granite-3.3",
        _PIPED,
        ("<|end_of_text|>", "<|fim_pad|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
        causal_at_end=True,
    ),
    FimFormat(
        "seed-coder",
        ("<[fim-suffix]>", SUFFIX, "<[fim-prefix]>", PREFIX, "<[fim-middle]>"),
        ("<[end▁of▁sentence]>",),
        bos="<[begin▁of▁sentence]>",
    ),
    # What training/ taught the embedded model; the pieces are ones its vocabulary had to spare.
    FimFormat(
        "smollm2-spm",
        ("<issue_start>", SUFFIX, "<issue_comment>", PREFIX),
        ("<|endoftext|>", "<|im_end|>", "<file_sep>", "<issue_start>", "<issue_comment>", "<issue_closed>"),
        files=FileLayout(
            other=("<file_sep>", "{path}\n{text}"),
            own=("<file_sep>", "{path}\n"),
            names_alone=True,
        ),
        weighs_lines=True,
    ),
)

_CAUSAL = FimFormat(
    "causal",
    (PREFIX,),
    (
        "<|endoftext|>",
        "<|im_end|>",
        "<file_sep>",
        "</s>",
        "<|end_of_text|>",
        "<eos>",
        _barred("end▁of▁sentence"),
    ),
    bos=None,
)

FORMATS: Mapping[str, FimFormat] = {
    form.name: form for form in (_CAUSAL, *_STARCODERS, *_MASKED, *_SENTENCE_PIECE, *_BYTE_LEVEL)
}
"""Formats by name."""

PIECES = frozenset[str]().union(*(form.pieces for form in FORMATS.values()))
"""Every special piece of every format, however a vocabulary declares it."""
