from __future__ import annotations

import pytest

from lsp_server.engine.speed import UNKNOWN_WINDOW_TOKENS, Speed


def reading(*rates: float) -> Speed:
    """What reads 256 tokens at each of these rates, one after the other."""
    speed = Speed()
    for rate in rates:
        speed.took_to_read(256, 256 / rate)
    return speed


def test_as_long_as_nothing_is_known_the_usual_is_asked() -> None:
    assert Speed().window_tokens == UNKNOWN_WINDOW_TOKENS
    assert Speed().new_tokens(64) == 64


@pytest.mark.parametrize(("rate", "window"), [(50, 256), (400, 256), (600, 384), (800, 512), (9000, 1024)])
def test_the_window_is_what_is_read_while_one_waits(rate: float, window: int) -> None:
    assert reading(rate).window_tokens == window


def test_a_window_does_not_go_to_and_fro() -> None:
    assert reading(800, *[700, 900] * 20).window_tokens == 512


def test_a_window_follows_what_lasts() -> None:
    assert reading(800, *[400] * 30).window_tokens == 256
    assert reading(400, *[800] * 30).window_tokens == 384
    assert reading(400, *[4000] * 30).window_tokens == 1024


def test_few_tokens_say_nothing() -> None:
    speed = Speed()
    speed.took_to_read(3, 1.0)
    speed.took_to_read(256, 0.0)
    speed.took_to_write(2, 1.0)
    assert (speed.read_per_s, speed.write_s) == (None, None)


@pytest.mark.parametrize(("seconds", "tokens"), [(0.01, 64), (0.05, 40), (0.1, 20), (3.0, 16)])
def test_a_slow_model_is_asked_for_less(seconds: float, tokens: int) -> None:
    speed = Speed()
    speed.took_to_write(10, 10 * seconds)
    assert speed.new_tokens(64) == tokens


def test_the_bound_of_the_user_holds() -> None:
    speed = Speed()
    speed.took_to_write(10, 30.0)
    assert speed.new_tokens(4) == 4
