import pytest

from lsp_server.completion.rhythm import LONGEST_S, MOST_ANSWERS, MOST_GAPS, SHORTEST_S, Rhythm


def rhythm(gaps, answers):
    seen, now = Rhythm(), 0.0
    for gap in [0.0, *gaps]:
        now += gap
        seen.pressed(now)
    for seconds in answers:
        seen.answered(seconds)
    return seen


WAITS = {
    "nothing is known": ([], [], SHORTEST_S),
    "fast model, nobody typed yet": ([], [0.05], 0),
    "slow model, nobody typed yet": ([], [0.9], SHORTEST_S),
    "fast model": ([0.2, 0.2, 0.2], [0.05, 0.06], 0),
    "as fast as typing": ([0.2], [0.2], 0),
    "slow model, fast typing": ([0.1, 0.1, 0.1], [0.5], 0.1),
    "slow model, very fast typing": ([0.04], [0.5], SHORTEST_S),
    "slow model, as fast as is waited for": ([LONGEST_S], [0.5], LONGEST_S),
    "slow model, slow typing": ([0.4, 0.4], [0.6], SHORTEST_S),
    "one slow answer among fast ones": ([0.2], [0.05, 3.0, 0.05], 0),
    "pauses are no gaps": ([0.1, 5.0, 0.1, 9.0, 7.0], [0.5], 0.1),
    "the last gaps count": ([0.5] * 50 + [0.1] * MOST_GAPS, [0.4], 0.1),
    "the last answers count": ([0.1], [0.9] * 50 + [0.05] * MOST_ANSWERS, 0),
}


@pytest.mark.parametrize(("gaps", "answers", "wait_s"), WAITS.values(), ids=WAITS)
def test_it_waits_only_for_a_key_that_comes_before_the_answer(gaps, answers, wait_s):
    assert rhythm(gaps, answers).wait_s(is_free=True) == pytest.approx(wait_s)


def test_a_model_that_works_for_others_is_waited_for():
    assert rhythm([0.2], [0.05]).wait_s(is_free=False) == SHORTEST_S
