from __future__ import annotations

import random
from pathlib import Path

import pytest

from training import dataset
from training.dataset import PAD_MULTIPLE, TOKENS_PER_BATCH, Lessons, LessonsError, batches, padded, save
from training.lessons import Lesson


def stored(path: Path, *lengths: int) -> Lessons:
    """Lessons of these lengths; each has a suffix and a prefix of two ids."""
    save([Lesson(tuple(range(length)), 2, 4) for length in lengths], path)
    return Lessons(path)


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    lessons = stored(tmp_path / "new" / "lessons.safetensors", 7, 5, 9)
    assert len(lessons) == 3
    assert [lessons.length(number) for number in range(3)] == [7, 5, 9]
    assert lessons.ids(1).tolist() == [0, 1, 2, 3, 4]


def test_the_middle_is_learned_always_and_the_suffix_never(tmp_path: Path) -> None:
    lessons = stored(tmp_path / "lessons.safetensors", 7)
    #           0       1       2       3       4       5       6
    # ids are   suffix  suffix  prefix  prefix  middle  middle  end
    assert lessons.learned(0, random.Random(1), 0.0) == [4, 5, 6]
    assert lessons.learned(0, random.Random(1), 1.0) == [2, 3, 4, 5, 6]


def test_a_share_of_the_prefix_is_learned_by_lot(tmp_path: Path) -> None:
    save([Lesson(tuple(range(1_010)), 5, 1_005)], tmp_path / "lessons.safetensors")
    lessons = Lessons(tmp_path / "lessons.safetensors")
    chosen = lessons.learned(0, random.Random(1), 0.1)
    assert 60 < len(chosen) - 5 < 140
    assert chosen == lessons.learned(0, random.Random(1), 0.1)
    assert chosen != lessons.learned(0, random.Random(2), 0.1)


def test_batches_hold_each_lesson_once_and_no_more_than_their_tokens(tmp_path: Path) -> None:
    rng = random.Random(1)
    lessons = stored(tmp_path / "lessons.safetensors", *(rng.randint(5, 600) for _ in range(64)))
    for first in range(0, 64, 16):
        found = list(batches(lessons, range(first, first + 16)))
        assert sorted(number for batch in found for number in batch) == list(range(first, first + 16))
        for batch in found:
            assert padded(max(map(lessons.length, batch))) * len(batch) <= TOKENS_PER_BATCH


def test_a_lesson_longer_than_a_batch_stands_alone(tmp_path: Path) -> None:
    lessons = stored(tmp_path / "lessons.safetensors", 10, TOKENS_PER_BATCH + 1, 10)
    assert list(batches(lessons, range(3))) == [[1], [0, 2]]


def test_no_lessons_are_no_batches(tmp_path: Path) -> None:
    assert not list(batches(stored(tmp_path / "lessons.safetensors", 10), range(0)))


@pytest.mark.parametrize(("length", "expected"), [(1, 1), (PAD_MULTIPLE, 1), (PAD_MULTIPLE + 1, 2)])
def test_lengths_are_padded_to_a_multiple(length: int, expected: int) -> None:
    assert padded(length) == expected * PAD_MULTIPLE


def test_lessons_that_are_not_there_or_are_cut_short_end_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "lessons.safetensors"
    with pytest.raises(
        LessonsError, match=r"no lessons that can be read at .*: make them with training\.prepare"
    ):
        Lessons(path)
    stored(path, 7)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(LessonsError):
        Lessons(path)


def test_lessons_stay_as_they_are_when_saving_is_broken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lessons.safetensors"
    stored(path, 7)
    monkeypatch.setattr(dataset, "save_file", broken_off)
    with pytest.raises(KeyboardInterrupt):
        stored(path, 7, 8)
    assert len(Lessons(path)) == 1


def broken_off(_tensors, path: Path) -> None:
    path.write_bytes(b"half")
    raise KeyboardInterrupt
