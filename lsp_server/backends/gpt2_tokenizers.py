"""The tokenizers of CodeGen2 and CodeGen2.5, built of GPT-2's pieces rather than by the code they come with.

Both add runs of blanks and tabs, and the pieces that a middle is asked for with. The ids are those of the
checkpoints' own code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsp_server.backends.own_code import read_json
from lsp_server.errors import ModelDamagedError

_END = "<|endoftext|>"
_VOCABULARY = 51_200
"""The masks are counted down from here."""
_LONGEST_RUNS = {" ": (31, 50_257), "\t": (9, 50_287)}
"""Of each white character: how many of it are one piece, and the id of that piece. Shorter runs follow."""
_BYTE_LEVEL = {" ": "\u0120", "\t": "\u0109"}
"""As they are written in GPT-2's pieces."""


@dataclass(frozen=True)
class Extension:
    """What a family adds to GPT-2's pieces.

    Attributes:
        first: the id of the first piece behind the runs that both families name.
        merges_runs: whether the last blank of a run belongs to the word behind it, as in GPT-2.
    """

    first: int
    merges_runs: bool

    def special(self) -> dict[str, int]:
        """The special pieces and their ids."""
        names = (*(f"<dummy_{number}>" for number in range(4)), "<sep>", "<eom>")
        pieces = {name: self.first + place for place, name in enumerate(names)}
        masks = range(1, _VOCABULARY - pieces["<eom>"])
        return pieces | {f"<mask_{number}>": _VOCABULARY - number for number in masks}


CODEGEN2 = Extension(50_295, merges_runs=False)
CODEGEN25 = Extension(50_313, merges_runs=True)
"""Pieces of StarCoder's lie between the runs and these; nothing asks for them."""
_NEEDED = (_END, "<mask_1>", "<sep>", "<eom>")

Merges = list[tuple[str, str]]


def build(directory: Path, extension: Extension, pieces_from: Path) -> Any:
    """The tokenizer of a checkpoint.

    Args:
        directory: the checkpoint's; its own list of added pieces is taken before ours.
        extension: the family's.
        pieces_from: where GPT-2's ``vocab.json`` and ``merges.txt`` are.

    Raises:
        ModelDamagedError: a piece is missing that a middle cannot be asked for without.
    """
    from transformers import PreTrainedTokenizerFast

    vocabulary, merges = _gpt2(pieces_from)
    own = read_json(directory / "added_tokens.json")
    special = {piece: number for piece, number in own.items() if not piece.isspace()} or extension.special()
    special |= {piece: number for piece, number in vocabulary.items() if piece == _END}
    _check(special, directory)
    make = _with_merged_runs if extension.merges_runs else _with_added_runs
    tokenizer = make(vocabulary | special, merges)
    tokenizer.add_special_tokens(sorted(special, key=special.__getitem__))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=_END, eos_token=_END)


def _gpt2(folder: Path) -> tuple[dict[str, int], Merges]:
    lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" ") for line in lines if line and not line.startswith("#version"))
    return dict(read_json(folder / "vocab.json")), [(left, right) for left, right in pairs]


def _check(special: Mapping[str, int], directory: Path) -> None:
    bound = read_json(directory / "config.json").get("vocab_size", _VOCABULARY)
    for piece in _NEEDED:
        if special.get(piece, bound) >= bound:
            message = f"The model {directory.resolve().name} has no piece {piece}, which its prompts need."
            raise ModelDamagedError(message)


def _with_added_runs(vocabulary: dict[str, int], merges: Merges) -> Any:
    """Runs are found in the text before it is parted into words."""
    from tokenizers import AddedToken

    runs = _runs()
    tokenizer = _byte_level(vocabulary | runs, merges)
    tokenizer.add_tokens([AddedToken(run, normalized=False) for run in runs])
    return tokenizer


def _with_merged_runs(vocabulary: dict[str, int], merges: Merges) -> Any:
    """Runs are words like any other, and take the place of GPT-2's own."""
    runs = {_byte_level_run(run): number for run, number in _runs().items()}
    kept = [pair for pair in merges if "".join(pair) not in runs]
    joined = [(run[1:], run[0]) for run in runs]
    return _byte_level(vocabulary | runs, [*kept, *joined], ignore_merges=True)


def _byte_level(vocabulary: dict[str, int], merges: Merges, *, ignore_merges: bool = False) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _runs() -> dict[str, int]:
    """Each run that is one piece, and its id; the longest first."""
    return {
        white * length: first + longest - length
        for white, (longest, first) in _LONGEST_RUNS.items()
        for length in range(longest, 1, -1)
    }


def _byte_level_run(run: str) -> str:
    return _BYTE_LEVEL[run[0]] * len(run)
