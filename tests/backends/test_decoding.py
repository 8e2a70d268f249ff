"""The decode loop, on a model whose likelihoods are written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from lsp_server.backends.base import FinishReason, GenerationRequest, OneLine, Report, SamplingParams
from lsp_server.backends.decoding import Decoder
from lsp_server.backends.healing import Vocabulary
from lsp_server.backends.ik_reader import common_length
from lsp_server.completion.fim import Tokenizer

np = pytest.importorskip("numpy")

END = "<end>"
PIECES = [END, "!", "name", "_name", "(", ")", "\n", "x", ", "]
TOKENS = {piece: token for token, piece in enumerate(PIECES)}
PROMPT = (TOKENS["!"],) * 3
SURELY = 0.98


class Foreseen:
    """A model that foresees what is written down for a text, and else the end of it."""

    def __init__(self, ways: Mapping[str, Mapping[str, float]]) -> None:
        self._ways = ways
        self._ids: list[int] = []

    def rewind(self, ids: Sequence[int]) -> int:
        self._ids = self._ids[: common_length(self._ids, ids[:-1])]
        return len(self._ids)

    def read_each(self, ids: Sequence[int]) -> Sequence[Any]:
        return [self.read([token]) for token in ids]

    def read(self, ids: Sequence[int]) -> Any:
        self._ids += ids
        likely = np.full(len(PIECES), 1e-6, dtype=np.float32)
        text = "".join(PIECES[token] for token in self._ids[len(PROMPT) :])
        for piece, share in self._ways.get(text, {END: SURELY}).items():
            likely[TOKENS[piece]] = share
        return np.log(likely)

    def going_on(self, _prompt: Sequence[int], _room: int) -> Callable[[int], Any]:
        return lambda token: self.read([token])


class Characters(Tokenizer):
    """Knows no text."""

    def encode(self, text: str) -> list[int]:
        return []

    def special_id(self, piece: str) -> int | None:
        return None


REQUEST = GenerationRequest("", PROMPT, sampling=SamplingParams(12), stop_ids=frozenset({TOKENS[END]}))


def written(
    ways: Mapping[str, Mapping[str, float]], request: GenerationRequest = REQUEST
) -> tuple[str, Report]:
    """What the model writes, and how that ended."""
    vocabulary = Vocabulary([b"" if piece == END else piece.encode() for piece in PIECES])
    decoder = Decoder(Foreseen(ways), Characters(), vocabulary, TOKENS["!"], 64, frozenset())
    report = Report()
    return "".join(decoder.answer(request, report)), report


def test_a_text_does_not_go_round() -> None:
    ways = {"name" + "_name" * times: {"_name": SURELY, "(": 0.01} for times in range(9)}
    text, report = written({"": {"name": SURELY}} | ways)
    assert text == "name_name_name("
    assert report.finish_reason == FinishReason.STOP


def test_what_is_healed_may_go_round() -> None:
    healed = "name" + "_name" * 6
    ways = {healed[: len("name") + 5 * times]: {"_name": SURELY} for times in range(6)}
    ways |= {"": {"name": SURELY}, healed: {"_name": SURELY}, healed + "_name": {"(": SURELY}}
    assert written(ways, replace(REQUEST, healed=healed))[0] == "_name("


def test_a_line_that_is_needed_is_written_though_the_end_is_likeliest() -> None:
    ways = {"": {END: SURELY, ")": 0.01}}
    assert written(ways, replace(REQUEST, one_line=OneLine()))[0] == ""
    assert written(ways, replace(REQUEST, one_line=OneLine(is_needed=True)))[0] == ")"
