import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.evaluation.holes import Hole, Source
from lsp_server.evaluation.scores import (
    MEASURES,
    Answer,
    Mean,
    edit_similarity,
    exact,
    mean,
    next_line,
    quantile,
    quiet,
    respects_suffix,
    similarity,
    stops_right,
    summary,
)

TEXTS = st.text(st.sampled_from("ab (\n\té😀"), max_size=12)
LINE = "def f(a, b):\n    return «a + b»\n\nprint(f(1, 2))\n"
BLOCK = "def f(a):\n    «b = a + 1\n    c = b + 1\n    return c»\n\nprint(f(1))\n"
NOTHING = "a = 1«»\nb = 2\n"


@pytest.mark.parametrize(
    ("drawing", "text", "value"),
    [(LINE, "a + b", 1), (LINE, "a + b  \n", 1), (LINE, "a", 0), (LINE, "", 0), (NOTHING, "x", None)],
)
def test_exact_is_what_stood_there_but_for_white_space_at_its_end(drawn, drawing, text, value):
    assert exact(drawn(drawing), Answer(text)) == value


@pytest.mark.parametrize(
    ("one", "other", "value"),
    [("", "", 1), ("abc", "abc", 1), ("", "abc", 0), ("kitten", "sitting", 1 - 3 / 7), ("ab", "ba", 0)],
)
def test_edit_similarity_is_the_share_that_needs_no_edit(one, other, value):
    assert edit_similarity(one, other) == pytest.approx(value)
    assert edit_similarity(other, one) == pytest.approx(value)


def test_similarity_says_nothing_where_nothing_is_missing(drawn):
    assert similarity(drawn(NOTHING), Answer("x")) is None
    assert similarity(drawn(LINE), Answer("a - b ")) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("text", "value"), [("b = a + 1\n    return b", 1), ("b = a + 1", 1), ("b = a", 0), ("", 0)]
)
def test_the_next_line_is_the_first_one(drawn, text, value):
    assert next_line(drawn(BLOCK, "block"), Answer(text)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a + b", 1),
        ("a - b", 1),
        ("b + a + 1", 1),
        ("a +", 0),
        ("a + b + 1", 0),
        ("a + b\n    return 1", 0),
        ("a - b\n", 1),
        ("", 0),
    ],
)
def test_a_line_stops_right_if_it_neither_runs_on_nor_stops_short(drawn, text, value):
    assert stops_right(drawn(LINE), Answer(text)) == value


@pytest.mark.parametrize(("lines", "value"), [(0, 0), (1, 0), (2, 1), (3, 1), (4, 1), (5, 0)])
def test_a_block_stops_right_within_a_line(drawn, lines, value):
    assert stops_right(drawn(BLOCK, "block"), Answer("\n".join(["x"] * lines))) == value


def test_what_only_the_bound_on_tokens_ended_did_not_stop(drawn):
    assert stops_right(drawn(LINE), Answer("a + b", finished=False)) == 0


def test_stopping_says_nothing_where_nothing_is_missing(drawn):
    assert stops_right(drawn(NOTHING, "complete"), Answer("")) is None


@pytest.mark.parametrize(
    ("drawing", "text", "value"),
    [
        (LINE, "a + b", 1),
        (LINE, "a + b\n\nprint(f(1, 2))", 0),
        (LINE, "a + b\n\nprint(f(1, 2))  ", 0),
        (LINE, "", None),
        ("«x = 1»\n}\ny = 2\n", "x = 1\n}", 1),
        ("«x = 1»\n", "x = 1\ny", 1),
        ("ret«urn 1»\n    return x\n", "urn x", 0),
        ("    «b()»\n    b()\n", "b()", 1),
        ("    «c()»\n    b()\n", "b()", 0),
        ("f(«a»)\n", "a", 1),
        ("f(«a»)\n", "a)", 0),
    ],
)
def test_to_respect_the_suffix_is_not_to_repeat_what_follows(drawn, drawing, text, value):
    assert respects_suffix(drawn(drawing), Answer(text)) == value


def test_nothing_to_show_is_quiet(drawn):
    assert quiet(drawn(LINE), Answer(" \n")) == 1
    assert quiet(drawn(LINE), Answer("a")) == 0


def any_hole(before, truth, after, kind):
    source = Source("project", "a.py", "python", before + truth + after)
    return Hole(kind, source, len(before), len(before + truth))


HOLES = st.builds(any_hole, TEXTS, TEXTS, TEXTS, st.sampled_from(["rest of line", "block"]))


@given(HOLES, TEXTS, st.booleans())
def test_every_measure_is_from_0_to_1(hole, text, finished):
    for measure in MEASURES.values():
        value = measure(hole, Answer(text, finished))
        assert value is None or 0 <= value <= 1


@given(HOLES.filter(lambda hole: hole.truth.strip() and "\n" not in hole.truth))
def test_what_stood_there_is_right_in_every_way(hole):
    answer = Answer(hole.truth)
    assert (exact(hole, answer), similarity(hole, answer), next_line(hole, answer)) == (1, 1, 1)
    assert (stops_right(hole, answer), quiet(hole, answer)) == (1, 0)


@given(TEXTS, TEXTS, TEXTS)
def test_the_edit_distance_is_a_metric(one, other, third):
    def distance(a, b):
        return round((1 - edit_similarity(a, b)) * max(len(a), len(b)), 6)

    assert distance(one, third) <= distance(one, other) + distance(other, third)
    assert distance(one, other) == distance(other, one)
    assert distance(one, other) >= abs(len(one) - len(other))


@pytest.mark.parametrize(
    ("values", "share", "value"),
    [
        ([5], 0.95, 5),
        ([1, 2, 3, 4], 0.5, 2),
        (range(1, 101), 0.95, 95),
        (range(1, 101), 0.025, 3),
        ([1, 2], 0, 1),
    ],
)
def test_a_quantile_is_one_of_the_values(values, share, value):
    assert quantile(values, share) == value


def test_an_interval_holds_the_mean_and_is_the_same_every_time():
    values = [0.0] * 60 + [1.0] * 40
    found = mean(values)
    assert found == mean(values)
    assert found.value == 0.4
    assert found.low == pytest.approx(0.30, abs=0.02)
    assert found.high == pytest.approx(0.50, abs=0.02)
    assert mean([1.0]) == Mean(1, 1, 1)


def test_a_summary_counts_what_a_measure_speaks_of_and_times_what_was_asked(drawn):
    skipped = Answer("", asked=False, milliseconds=0.1)
    pairs = [
        (drawn(LINE), Answer("a + b", milliseconds=100, tokens=3)),
        (drawn(LINE), Answer("a", milliseconds=300, tokens=1)),
        (drawn(NOTHING, "complete"), skipped),
    ]
    found = summary(pairs)
    assert found.places == 3
    assert found.means["exact"].value == 0.5
    assert found.means["quiet"].value == pytest.approx(1 / 3)
    assert (found.median_ms, found.p95_ms, found.tokens) == (100, 300, 2)


def test_a_summary_of_places_that_were_never_asked_has_no_times(drawn):
    found = summary([(drawn(NOTHING, "complete"), Answer("", asked=False))])
    assert (found.median_ms, found.p95_ms, found.tokens) == (None, None, None)
    assert set(found.means) == {"quiet"}
