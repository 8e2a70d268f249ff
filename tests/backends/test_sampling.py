from __future__ import annotations

import pytest

from lsp_server.backends.base import SamplingParams
from lsp_server.backends.healing import Healing, Vocabulary
from lsp_server.backends.sampling import Sampler, healed_scores
from lsp_server.errors import BackendError

np = pytest.importorskip("numpy")
SCORES = np.array([0.0, 2.0, 3.0, 1.0], dtype=np.float32)


def drawn(**params: float) -> list[int]:
    sampler = Sampler(SamplingParams(**params))  # type: ignore[arg-type]
    return [sampler.choose(SCORES) for _ in range(200)]


def test_without_temperature_the_likeliest_token_is_taken() -> None:
    assert set(drawn(temperature=0)) == {2}


def test_with_temperature_every_token_has_its_chance() -> None:
    assert set(drawn(temperature=2.0)) == {0, 1, 2, 3}


def test_a_seed_draws_the_same_tokens_again() -> None:
    assert drawn(temperature=1.0, seed=4) == drawn(temperature=1.0, seed=4) != drawn(temperature=1.0, seed=5)


def test_the_nucleus_leaves_out_what_is_unlikely() -> None:
    assert set(drawn(temperature=1.0, top_p=0.8)) == {1, 2}


def test_an_empty_nucleus_still_holds_the_likeliest_token() -> None:
    assert set(drawn(temperature=1.0, top_p=0.0)) == {2}


def test_tokens_that_do_not_heal_the_cursor_are_ruled_out() -> None:
    vocabulary = Vocabulary([b"a", b"ab", b"b", b" a"])
    assert int(healed_scores(SCORES, Healing("a", vocabulary)).argmax()) == 1
    assert int(healed_scores(SCORES, Healing("", vocabulary)).argmax()) == 2


def test_blanks_are_ruled_out_behind_typed_indentation() -> None:
    vocabulary = Vocabulary([b"a", b" ", b" a", b"\t"])
    healing = Healing(" ", vocabulary)
    assert int(healed_scores(SCORES, healing).argmax()) == 2, "the blank and the word in one token"
    healing.take(1)
    assert int(healed_scores(SCORES, healing).argmax()) == 0, "no blank behind the blank"
    assert SCORES.tolist() == [0.0, 2.0, 3.0, 1.0]


def test_a_text_that_cannot_be_spelled_is_a_failure() -> None:
    with pytest.raises(BackendError, match="cannot spell"):
        healed_scores(SCORES, Healing("z", Vocabulary([b"a", b"b", b"c", b"d"])))
