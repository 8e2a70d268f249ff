"""Which of several lines is written, on models whose likelihoods are written down."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from typing import Any, TypeVar

import pytest

from lsp_server.backends.base import PREFILL_PIECE_TOKENS
from lsp_server.backends.healing import Vocabulary
from lsp_server.backends.ik_reader import common_length
from lsp_server.backends.line_reading import Line, LineReading, Wish
from lsp_server.backends.line_search import LineSearch
from lsp_server.backends.lines_elsewhere import possible_lines, sure_line
from lsp_server.backends.sampling import log_likelihoods

np = pytest.importorskip("numpy")

END = "<end>"
PIECES = [END, "\n", "  ", "if", "for", " x", " y", ":", "pass", "!", "?", "i", "f"]
TOKENS = {piece: token for token, piece in enumerate(PIECES)}
VOCABULARY = Vocabulary([b"" if piece == END else piece.encode() for piece in PIECES])
SURELY = 0.98
Returned = TypeVar("Returned")
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
        self.before = list(BEFORE)
        self.ids = list(self.before)
        self.passes: list[str] = []

    def reading(
        self, following: Sequence[str], hidden: Collection[str] = (), most_tokens: int = 9
    ) -> LineReading:
        """Lines behind what it has read."""

        def is_shown(tokens: Sequence[int]) -> bool:
            text = VOCABULARY.spelled(tokens).decode()
            return bool(text.strip()) and text not in hidden

        stops = [TOKENS[END]]
        wish = Wish([TOKENS[piece] for piece in following], is_shown, most_tokens, stops)
        return LineReading(self, self.before, wish)

    def rewind(self, ids: Sequence[int]) -> int:
        self.ids = self.ids[: 0 if self.forgets else common_length(self.ids, ids[:-1])]
        return len(self.ids)

    def read_each(self, ids: Sequence[int]) -> Sequence[Any]:
        assert len(ids) <= PREFILL_PIECE_TOKENS
        first = max(len(self.ids), len(self.before))
        self.ids += ids
        self.passes.append(self._text(len(self.ids)))
        return [self.scores(self._text(end)) for end in range(first + 1, len(self.ids) + 1)]

    def _text(self, end: int) -> str:
        return "".join(PIECES[token] for token in self.ids[len(self.before) : end])

    def scores(self, text: str) -> Any:
        likely = np.full(len(PIECES), 1e-6, dtype=np.float32)
        for piece, share in self.ways.get(text, {END: SURELY}).items():
            likely[TOKENS[piece]] = share
        return np.log(likely)


def search(
    model: Written,
    following: Sequence[str] = (),
    *,
    hidden: Collection[str] = (),
    most_tokens: int = 9,
    elsewhere: Mapping[tuple[str, ...], int] | None = None,
) -> Line:
    """The line that is chosen; what may begin it is what the model foresees at the beginning.

    Args:
        elsewhere: pieces of lines of the file, and in how many lines beside them it agrees.
    """
    reading, likely = model.reading(following, hidden, most_tokens), log_likelihoods(model.scores(""))
    starts = sorted(range(len(PIECES)), key=lambda token: -likely[token])[:4]
    ends = starts[0] == TOKENS[END]
    lines = possible_lines(ids(elsewhere or {}), likely, reading)
    others = [token for token in starts if token != TOKENS[END]]
    return result(LineSearch(reading, VOCABULARY).best(likely, [] if ends else others, lines))


def sure(model: Written, elsewhere: Mapping[tuple[str, ...], int], *, hidden: Collection[str] = ()) -> str:
    """The line of the file that is taken at once; empty if none is."""
    reading, likely = model.reading(["\n"], hidden), log_likelihoods(model.scores(""))
    line = result(sure_line(possible_lines(ids(elsewhere), likely, reading), reading))
    return "" if line is None else spelled(line)


def ids(lines: Mapping[tuple[str, ...], int]) -> list[tuple[list[int], int]]:
    return [([TOKENS[piece] for piece in pieces], agreeing) for pieces, agreeing in lines.items()]


def result(passes: Generator[str, None, Returned]) -> Returned:
    while True:
        try:
            assert next(passes) == ""
        except StopIteration as stop:
            value: Returned = stop.value
            return value


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
    ways = {"": {"if": 0.5, "for": 0.2, "!": 0.005}}
    assert spelled(search(Written(ways), hidden={"if"})) == "for"
    assert spelled(search(Written(ways), hidden={"if", "for"})) == "if", "another one is too unlikely"


def test_a_line_that_would_not_be_shown_keeps_no_other_from_being_written() -> None:
    ways = {"": {"if": 0.9, "for": 0.03}, "for": {" y": SURELY}}
    assert spelled(search(Written(ways))) == "if"
    assert spelled(search(Written(ways), hidden={"if"})) == "for y"


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


ENDLESS = ["if", " x", "!", "for", " y", "?", ":", "pass", "  ", "i", "f"]
NEXT = {"".join(ENDLESS[:at]): {piece: SURELY} for at, piece in enumerate(ENDLESS)}


def test_a_line_without_an_end_is_left_at_its_bound() -> None:
    line = search(Written(NEXT), most_tokens=5)
    assert spelled(line) == "if x!for y"
    assert not line.is_complete


def test_a_line_that_ends_goes_before_one_that_does_not() -> None:
    line = search(Written(NEXT | {"": {"if": 0.6, "for": 0.3}, "for": {" y": SURELY}}), most_tokens=5)
    assert spelled(line) == "for y"
    assert line.is_complete


def test_a_line_does_not_go_round() -> None:
    ways = {"if" + " x" * times: {" x": SURELY} for times in range(9)}
    ways |= {"": {"if": SURELY}, "if x x x x x": {" x": SURELY, " y": 0.01}}
    line = search(Written(ways))
    assert spelled(line) == "if x x x x x y"
    assert line.is_complete


def test_a_line_begins_where_the_cursor_is() -> None:
    ways = {"": {"\n": 0.9, "for": 0.05}, "\n": {"if": SURELY}, "for": {" y": SURELY}}
    assert spelled(search(Written(ways))) == "for y"


def test_what_cannot_be_taken_back_is_read_again() -> None:
    ways = {"": {"if": 0.5, "for": 0.4}, "if": {" x": 0.3, " y": 0.3}, "for": {" y": SURELY}}
    assert spelled(search(Written(ways, forgets=True), ["\n", "pass"])) == "for y"


def test_what_cannot_be_taken_back_is_read_so_that_all_that_is_asked_comes_with_one_pass() -> None:
    ways = {"": {"if": 0.5, "for": 0.4}, "if": {END: 0.9}, "for": {END: 0.9, "?": 0.05}}
    for length in range(PREFILL_PIECE_TOKENS - 4, PREFILL_PIECE_TOKENS + 4):
        model = Written(ways, forgets=True)
        model.before = [TOKENS["!"]] * length
        assert spelled(search(model, ["?", "?", "?"])) == "for", length


ELSEWHERE = {
    "": {"if": 0.95, "for": 0.05},
    "for": {" y": 0.1, " x": 0.9},
    "for y": {":": 0.1, "!": 0.9},
}
"""``for y:`` is less likely than ``if`` by 7.5, in ln p."""


@pytest.mark.parametrize(("agreeing", "chosen"), [(1, "if"), (7, "if"), (8, "for y:")])
def test_a_line_of_the_file_is_chosen_if_what_is_beside_it_makes_up_for_what_the_model_says(
    agreeing: int, chosen: str
) -> None:
    line = search(Written(ELSEWHERE), elsewhere={("for", " y", ":"): agreeing})
    assert spelled(line) == chosen
    assert line.is_complete


def test_a_line_of_the_file_is_read_in_one_pass_with_what_follows() -> None:
    model = Written({**ELSEWHERE, "for y:": {END: 0.1, "\n": 0.9}, "for y:\n": {"pass": 0.9}})
    assert spelled(search(model, ["\n", "pass", "!"], elsewhere={("for", " y", ":"): 3})) == "for y:"
    assert model.passes == ["if", "if\npass", "for y:\npass"]


def test_a_line_of_the_file_is_not_read_if_it_could_not_be_chosen() -> None:
    model = Written(ELSEWHERE)
    assert spelled(search(model, elsewhere={("for", " y"): 2, ("?",): 6})) == "if"
    assert model.passes == ["if"], "the one begins too unlikely for what agrees, the other for anything"


def test_a_line_that_is_written_and_stands_in_the_file_is_not_read_again() -> None:
    ways = {"": {"if": 0.5, "for": 0.2}}
    model = Written(ways)
    assert spelled(search(model, elsewhere={("for",): 1})) == "for"
    assert model.passes == ["if", "for"]


def test_a_line_of_the_file_that_would_not_be_shown_is_not_chosen() -> None:
    elsewhere = {("for", " y", ":"): 9}
    assert spelled(search(Written(ELSEWHERE), elsewhere=elsewhere, hidden={"for y:"})) == "if"


def test_where_nothing_is_likeliest_nothing_is_written() -> None:
    model = Written({"": {END: 0.6, "if": 0.4}})
    assert spelled(search(model, ["\n", "pass"])) == ""
    assert model.passes == []


def test_a_line_of_the_file_may_be_chosen_where_nothing_is_likeliest() -> None:
    model = Written({"": {END: 0.6, "if": 0.4}})
    assert spelled(search(model, ["\n", "pass"], elsewhere={("if",): 1})) == "if"
    assert model.passes == ["\n", "if\n"]


def test_a_likely_line_of_the_file_is_taken_at_once_the_first_that_is() -> None:
    model = Written(ELSEWHERE)
    elsewhere = {("for", " x"): 6, ("if",): 0, ("for", " y", ":"): 6, ("?",): 9}
    assert sure(model, elsewhere) == "for x"
    assert model.passes == ["for x"], "what begins likeliest, with what agrees, is read first"


def test_no_line_of_the_file_is_taken_at_once_that_is_less_likely() -> None:
    model = Written(ELSEWHERE)
    assert sure(model, {("for", " y", ":"): 6, ("for", " x", "!"): 1}) == ""
    assert model.passes == ["for y:"], "the other one begins too unlikely"
    assert sure(model, {("for", " y", ":"): 7}) == "for y:"
    assert sure(model, {("for", " y", ":"): 7}, hidden={"for y:"}) == ""
    assert sure(model, {}) == ""


def test_what_was_read_to_see_whether_a_line_is_likely_is_not_read_again_to_compare() -> None:
    model = Written({**ELSEWHERE, "": {"if": 0.6, "for": 0.4}})
    reading, likely = model.reading(["\n"]), log_likelihoods(model.scores(""))
    lines = possible_lines(ids({("for", " y", ":"): 4}), likely, reading)
    assert result(sure_line(lines, reading)) is None
    result(LineSearch(reading, VOCABULARY).best(likely, [TOKENS["if"]], lines))
    assert model.passes == ["for y:", "if"]


@pytest.mark.parametrize("forgets", [True, False])
def test_what_was_read_of_lines_can_be_left(forgets: bool) -> None:
    model = Written(ELSEWHERE, forgets=forgets)
    reading = model.reading([])
    reading.behind([TOKENS["if"], TOKENS[" x"]])
    reading.leave()
    assert model.ids == BEFORE
    reading.leave()
    assert model.ids == BEFORE


def test_what_was_read_ahead_of_a_line_is_not_taken_for_the_line() -> None:
    model = Written({"": {"if": 0.5, "for": 0.4}, "if": {" x": 0.3, " y": 0.3}, "for": {" y": SURELY}})
    model.ids += [TOKENS["?"], TOKENS["?"]]
    assert spelled(search(model)) == "for y"
