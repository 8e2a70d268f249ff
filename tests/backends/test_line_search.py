"""Which of several lines is written, on models whose likelihoods are written down."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from lsp_server.backends.base import PREFILL_PIECE_TOKENS
from lsp_server.backends.healing import Vocabulary
from lsp_server.backends.ik_reader import common_length
from lsp_server.backends.line_search import Line, LineSearch, Wish

np = pytest.importorskip("numpy")

END = "<end>"
PIECES = [END, "\n", "  ", "if", "for", " x", " y", ":", "pass", "!", "?", "i", "f"]
TOKENS = {piece: token for token, piece in enumerate(PIECES)}
SURELY = 0.98
BEFORE = [TOKENS["!"]] * 200


class Written:
    """A model that foresees what is written down for a text, and else the end of it.

    Args:
        ways: by text, how likely some pieces are to come next.
        forgets: whether it cannot take back what it read.
    """

    def __init__(self, ways: Mapping[str, Mapping[str, float]], *, forgets: bool = False) -> None:
        self.ways = ways
        self.forgets = forgets
        self.ids = list(BEFORE)
        self.passes: list[str] = []

    def rewind(self, ids: Sequence[int]) -> int:
        self.ids = self.ids[: 0 if self.forgets else common_length(self.ids, ids[:-1])]
        return len(self.ids)

    def read_each(self, ids: Sequence[int]) -> Sequence[Any]:
        assert len(ids) <= PREFILL_PIECE_TOKENS
        first = max(len(self.ids), len(BEFORE))
        self.ids += ids
        self.passes.append(self._text(len(self.ids)))
        return [self.scores(self._text(end)) for end in range(first + 1, len(self.ids) + 1)]

    def _text(self, end: int) -> str:
        return "".join(PIECES[token] for token in self.ids[len(BEFORE) : end])

    def scores(self, text: str) -> Any:
        likely = np.full(len(PIECES), 1e-6, dtype=np.float32)
        for piece, share in self.ways.get(text, {END: SURELY}).items():
            likely[TOKENS[piece]] = share
        return np.log(likely)


def search(
    model: Written, following: Sequence[str] = (), *, hidden: Collection[str] = (), most_tokens: int = 9
) -> Line:
    """The line that is chosen; what may begin it is what the model foresees at the beginning."""
    first = model.scores("")
    starts = sorted(
        ((token, float(first[token])) for token in range(1, len(PIECES))), key=lambda way: -way[1]
    )
    vocabulary = Vocabulary([b"" if piece == END else piece.encode() for piece in PIECES])
    wish = Wish(
        [TOKENS[piece] for piece in following],
        lambda spelled: bool(spelled.strip()) and spelled.decode() not in hidden,
        most_tokens,
    )
    asked = LineSearch(model, BEFORE, vocabulary, stops=frozenset({TOKENS[END]}), wish=wish)
    writing = asked.best(starts[:4])
    while True:
        try:
            assert next(writing) == ""
        except StopIteration as stop:
            line: Line = stop.value
            return line


def spelled(line: Line) -> str:
    return "".join(PIECES[token] for token in line.tokens)


def test_where_the_model_is_sure_one_line_is_written() -> None:
    model = Written({"": {"if": SURELY}, "if": {" x": SURELY}, "if x": {":": SURELY}})
    line = search(model, ["\n", "pass"])
    assert spelled(line) == "if x:"
    assert line.is_complete
    assert model.passes == ["if", "if x", "if x:"]


def test_the_likeliest_line_may_begin_with_the_second_token() -> None:
    model = Written({"": {"if": 0.5, "for": 0.4}, "if": {" x": 0.3, " y": 0.3}, "for": {" y": SURELY}})
    assert spelled(search(model)) == "for y"


def test_of_two_lines_the_one_is_taken_that_what_follows_goes_with() -> None:
    ways = {
        "": {"if": SURELY},
        "if": {" x": 0.5, " y": 0.4},
        "if x": {END: 0.9, "!": 0.05},
        "if y": {END: 0.9, "!": 0.05, ":": 0.04},
        "if y:": {"pass": SURELY},
    }
    assert spelled(search(Written(ways))) == "if x"
    assert spelled(search(Written(ways), [":", "pass"])) == "if y"


def test_what_follows_may_be_one_token() -> None:
    model = Written({"": {"if": 0.5, "for": 0.4}, "if": {END: 0.9}, "for": {END: 0.9, "?": 0.05}})
    assert spelled(search(model, ["?"])) == "for"
    assert model.passes == ["if", "for"]


def test_a_line_may_end_where_the_model_would_first_go_on() -> None:
    model = Written({"": {"if": SURELY}, "if": {" x": 0.5, END: 0.45}, "if x": {" y": 0.5, "!": 0.45}})
    assert spelled(search(model)) == "if"


def test_a_line_ends_before_a_line_end_unless_nothing_can_be_seen_yet() -> None:
    ways = {
        "": {"\n": SURELY},
        "\n": {"  ": SURELY},
        "\n  ": {"if": SURELY},
        "\n  if": {"\n": 0.5, END: 0.4},
    }
    line = search(Written(ways))
    assert spelled(line) == "\n  if"
    assert line.is_complete


def test_a_line_that_shows_nothing_is_taken_only_if_there_is_no_other() -> None:
    other = {"": {"  ": 0.5, "if": 0.2}, "  ": {END: SURELY}, "if": {END: SURELY}}
    assert spelled(search(Written(other))) == "if"
    assert spelled(search(Written({"": {"  ": SURELY}, "  ": {END: SURELY}}))) == "  "


def test_a_line_that_would_not_be_shown_gives_way_to_one_that_is_nearly_as_likely() -> None:
    ways = {"": {"if": 0.5, "for": 0.2, "!": 0.01}}
    assert spelled(search(Written(ways), hidden={"if"})) == "for"
    assert spelled(search(Written(ways), hidden={"if", "for"})) == "if", "another one is too unlikely"


def test_a_way_is_given_up_once_a_complete_line_is_clearly_likelier() -> None:
    model = Written(
        {
            "": {"if": 0.6, "for": 0.15},
            "for": {" x": 0.35, " y": 0.33, "!": 0.32},
            "for x": {":": SURELY},
        }
    )
    assert spelled(search(model)) == "if"
    assert model.passes == ["if", "for"]


def test_the_same_text_spelled_in_two_ways_is_compared_once() -> None:
    model = Written({"": {"if": 0.4, "i": 0.3, "for": 0.2}, "i": {"f": SURELY}})
    assert spelled(search(model, ["\n", "pass"])) == "if"
    assert [text for text in model.passes if text.endswith("\n")] == ["if\n", "for\n"]


def test_a_line_without_an_end_is_left_at_its_bound() -> None:
    model = Written({"if" * times: {"if": SURELY} for times in range(20)})
    line = search(model, most_tokens=5)
    assert spelled(line) == "if" * 5
    assert not line.is_complete


def test_what_cannot_be_taken_back_is_read_again() -> None:
    ways = {"": {"if": 0.5, "for": 0.4}, "if": {" x": 0.3, " y": 0.3}, "for": {" y": SURELY}}
    assert spelled(search(Written(ways, forgets=True), ["\n", "pass"])) == "for y"
