from __future__ import annotations

import os

import pytest

from lsp_server.backends.threads import TRIED_EVERY, BatchThreads, available_cores


def read(threads: BatchThreads, batches: int, seconds: dict[int, float], tokens: int = 128) -> list[int]:
    """With how many threads so many batches were read."""
    chosen = []
    for _ in range(batches):
        chosen.append(threads.choose(tokens))
        threads.took(chosen[-1], tokens, seconds[chosen[-1]])
    return chosen


def test_the_first_is_taken_as_long_as_nothing_is_known() -> None:
    assert BatchThreads((2, 1)).choose(128) == 2


def test_the_other_is_tried_now_and_then_and_left_if_it_is_slower() -> None:
    chosen = read(BatchThreads((2, 1)), 4 * TRIED_EVERY, {2: 0.1, 1: 0.2})
    assert chosen.count(1) == 4


def test_a_machine_that_gets_busy_is_noticed_and_one_that_gets_quiet_too() -> None:
    threads = BatchThreads((2, 1))
    read(threads, TRIED_EVERY, {2: 0.1, 1: 0.2})
    busy = read(threads, 3 * TRIED_EVERY, {2: 0.8, 1: 0.3})
    assert busy[-TRIED_EVERY:].count(1) == TRIED_EVERY - 1
    quiet = read(threads, 4 * TRIED_EVERY, {2: 0.1, 1: 0.3})
    assert quiet[-TRIED_EVERY:].count(2) == TRIED_EVERY - 1


def test_a_few_tokens_say_nothing_and_are_no_trial() -> None:
    threads = BatchThreads((2, 1))
    assert set(read(threads, 100, {2: 9.0, 1: 0.1}, tokens=3)) == {2}


def test_one_number_is_no_choice() -> None:
    assert set(read(BatchThreads((4, 4)), 50, {4: 1.0})) == {4}


def test_cores_that_the_process_may_not_run_on_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {3, 5}, raising=False)
    assert available_cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    assert available_cores() == 64
