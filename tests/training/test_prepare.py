from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from training.dataset import Lessons, LessonsError
from training.lessons import Teacher
from training.prepare import corpus_files, lessons, prepare


def code(name: str, functions: int) -> str:
    return "".join(f"def {name}_{n}(first):\n    return {name}(first, {n})\n\n\n" for n in range(functions))


def corpus(folder: Path, **files: str) -> Path:
    lines = [{"package": "shapes", "path": f"shapes/{name}.py", "text": text} for name, text in files.items()]
    folder.mkdir(exist_ok=True)
    (folder / "files.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


def test_the_same_seed_writes_the_same_file(tmp_path: Path, tokenizer) -> None:
    made = corpus(tmp_path, area=code("area", 20), side=code("side", 20))
    for out, seed in (("a", 1), ("b", 1), ("c", 2)):
        prepare(made, tmp_path / out, tokenizer, 50, seed)
    first, again, other = ((tmp_path / out / "lessons.safetensors").read_bytes() for out in "abc")
    assert first == again
    assert first != other


def test_about_as_many_lessons_are_made_as_are_wanted_more_of_long_files(tmp_path: Path, tokenizer) -> None:
    files = corpus_files(corpus(tmp_path, area=code("area", 200), side=code("side", 10)))
    made = list(lessons(files, tokenizer, 100, seed=1))
    assert 80 <= len(made) <= 102
    of_area = sum("area" in tokenizer.decode(lesson.ids) for lesson in made)
    assert len(made) / 2 < of_area < len(made)


def test_the_lessons_of_a_file_do_not_stand_together(tmp_path: Path, tokenizer) -> None:
    made = corpus(tmp_path, area=code("area", 50), side=code("side", 50))
    prepare(made, tmp_path, tokenizer, 60, seed=1)
    saved = Lessons(tmp_path / "lessons.safetensors")
    names = ["area" in tokenizer.decode(saved.ids(number).tolist()) for number in range(len(saved))]
    assert sum(name != following for name, following in itertools.pairwise(names)) > 10


def test_only_other_files_of_its_package_are_shown_beside_a_file(
    tmp_path: Path, tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = {}
    monkeypatch.setattr(
        Teacher,
        "lessons",
        lambda _self, path, _text, others, _number: shown.update({path: [o.path for o in others]}) or (),
    )
    files = corpus_files(corpus(tmp_path, area="a", side="b"))
    assert not list(lessons([*files, {"package": "x", "path": "x.py", "text": "c"}], tokenizer, 9, seed=1))
    assert shown == {"shapes/area.py": ["shapes/side.py"], "shapes/side.py": ["shapes/area.py"], "x.py": []}


def test_a_corpus_that_is_not_there_ends_in_a_sentence(tmp_path: Path, tokenizer) -> None:
    with pytest.raises(LessonsError, match=r"no .*files\.jsonl yet: make the corpus first"):
        prepare(tmp_path, tmp_path, tokenizer, 9, seed=1)


def test_a_corpus_that_holds_nothing_ends_in_a_sentence(tmp_path: Path, tokenizer) -> None:
    with pytest.raises(LessonsError, match="nothing in"):
        prepare(corpus(tmp_path), tmp_path, tokenizer, 9, seed=1)
    with pytest.raises(LessonsError, match="give no lessons"):
        prepare(corpus(tmp_path, area="\n\n"), tmp_path, tokenizer, 9, seed=1)
