from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from lsp_server.backends.base import LoadedModel
from lsp_server.completion.context import counter
from lsp_server.completion.document import Document
from lsp_server.completion.fim import Snippet
from lsp_server.engine.job import Model
from lsp_server.engine.plan import plan_requests
from lsp_server.models import gguf
from lsp_server.models.tokenizer import GgufTokenizer
from lsp_server.settings import Settings
from training import lessons
from training.holes import Hole
from training.lessons import END, FORMAT, MAX_MIDDLE_TOKENS, MIDDLE, STAGES, Lesson, Teacher

PATH = "shapes/area.py"


class Chance(random.Random):
    """Always the same number between 0 and 1."""

    def __init__(self, number: float) -> None:
        super().__init__()
        self.number = number

    def random(self) -> float:
        return self.number


PLAIN, WITH_PATH, UNHEALED = 0.99, 0.4, 0.05
"""Chances that give a healed lesson without its path, one with it, and one that is not healed."""


def taught(tokenizer, drawing: str, chance: float, *, kind="rest", path=PATH, others=()) -> Lesson | None:
    """The lesson of a drawing with its hole between ``«`` and ``»``."""
    before, _, rest = drawing.partition("«")
    middle, _, after = rest.partition("»")
    document = Document("", "", before + middle + after)
    hole = Hole(len(before), len(before) + len(middle))
    return Teacher(tokenizer, Chance(chance)).lesson(document, hole, kind, path, others)


def spelled(tokenizer, lesson: Lesson) -> tuple[str, str, str]:
    """What stands before the prefix, the prefix, and the middle with its end."""
    ids, first, second = lesson.ids, lesson.prefix_at, lesson.middle_at
    return tokenizer.decode(ids[:first]), tokenizer.decode(ids[first:second]), tokenizer.decode(ids[second:])


def served(tokenizer, drawing: str) -> tuple[tuple[int, ...], str]:
    """The prompt that the server sends for a place, marked by ``|``, and what it takes off to heal it."""
    before, _, after = drawing.partition("|")
    place = Document("file:///shapes/area.py", "", before + after).at_offset(len(before))
    model = Model(LoadedModel("", "cpu", 8192, tokenizer, heals=True), FORMAT, counter(tokenizer))
    plan = plan_requests(place, Settings(), lambda *_: None, multiline=True, candidates=1)
    (request,) = plan(model)
    return request.ids, request.healed


def test_the_suffix_stands_first_then_the_prefix_then_the_middle_and_its_end(tokenizer) -> None:
    lesson = taught(tokenizer, "def area(r):\n    return r« * r»\n\n\nx = 1\n", PLAIN)
    assert spelled(tokenizer, lesson) == (
        "<issue_start>\n\n\nx = 1\n<issue_comment>",
        "def area(r):\n    return",
        " r * r<|endoftext|>",
    )


def test_the_path_stands_before_all_where_it_is_shown(tokenizer) -> None:
    lesson = taught(tokenizer, "a = «b»\n", WITH_PATH)
    assert spelled(tokenizer, lesson)[0] == f"<file_sep>{PATH}\n<issue_start>\n<issue_comment>"


def test_lines_of_another_file_stand_before_the_path(tokenizer) -> None:
    lesson = taught(tokenizer, "a = «b»\n", 0.15, others=[Snippet("shapes/side.py", "side = 1\nx = 2\n")])
    head = spelled(tokenizer, lesson)[0]
    assert head.startswith("<file_sep>shapes/side.py\nside = 1\nx = 2\n")
    assert head.endswith(f"<file_sep>{PATH}\n<issue_start>\n<issue_comment>")


def test_an_unhealed_prefix_is_whole_and_a_sentinel_stands_behind_it(tokenizer) -> None:
    lesson = taught(tokenizer, "area = radi«us»\n", UNHEALED)
    assert spelled(tokenizer, lesson)[1:] == (f"area = radi{MIDDLE}", f"us{END}")


def test_in_the_second_stage_some_lessons_have_the_order_of_infill_and_only_their_middle_is_learned(
    tokenizer,
) -> None:
    document = Document("", "", "area = radius\n")
    teacher = Teacher(tokenizer, Chance(UNHEALED), STAGES[2])
    lesson = teacher.lesson(document, Hole(11, 13), "rest", PATH, ())
    prompt = f"<file_sep>{PATH}\n<issue_comment>area = radi<issue_start>\n{MIDDLE}"
    assert tokenizer.decode(lesson.ids) == f"{prompt}us{END}"
    assert lesson.prefix_at == lesson.middle_at
    assert tokenizer.decode(lesson.ids[lesson.middle_at :]) == f"us{END}"


def test_where_nothing_is_missing_the_model_ends_what_was_typed_and_stops(tokenizer) -> None:
    lesson = taught(tokenizer, "f(area«»)\n", PLAIN, kind="empty")
    assert spelled(tokenizer, lesson)[1:] == ("f(", f"area{END}")


def test_at_the_end_of_a_file_nothing_follows(tokenizer) -> None:
    lesson = taught(tokenizer, "a = «b»\nc = d\n", PLAIN, kind="end")
    assert spelled(tokenizer, lesson)[0] == "<issue_start><issue_comment>"


def test_a_middle_that_is_too_long_gives_no_lesson(tokenizer) -> None:
    middle = ",".join("a" * (MAX_MIDDLE_TOKENS // 2))
    assert taught(tokenizer, f"f(«{middle}»)\n", PLAIN)
    assert taught(tokenizer, f"f(«{middle},a»)\n", PLAIN) is None


def test_a_sentinel_that_is_spelled_in_the_code_is_text(tokenizer) -> None:
    lesson = taught(tokenizer, f"a = '«{END}»'  # <issue_comment>\n", PLAIN)
    for piece in (END, "<issue_comment>"):
        assert lesson.ids.count(tokenizer.special_id(piece)) == 1


@pytest.mark.parametrize(
    ("before", "middle", "after"),
    [
        ("def area(r):\n    return ", "r * r", "\n\n\nprint(area(2))\n"),
        ("def area(r):\n    retu", "rn r", "\n"),
        ("def area(r):\n    ", "return r", "\n"),
        ("def area(r):", "\n    return r", "\n\n\nx = 1\n"),
        ("print(are", "a(2)", ")\n"),
        ("", "x = 1", "\ny = 2\n"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE} = '\N{GRINNING FACE}", "'", ""),
    ],
)
@pytest.mark.parametrize("vocabulary", ["words", pytest.param("embedded", marks=pytest.mark.model)])
def test_a_lesson_is_what_the_server_asks_at_the_same_place(
    request: pytest.FixtureRequest, vocabulary: str, before: str, middle: str, after: str
) -> None:
    if vocabulary == "words":
        tokenizer = request.getfixturevalue("tokenizer")
    else:
        tokenizer = GgufTokenizer(gguf.read(request.getfixturevalue("embedded_gguf")))
    lesson = taught(tokenizer, f"{before}«{middle}»{after}", WITH_PATH, path="area.py")
    prompt, healed = served(tokenizer, f"{before}|{after}")
    assert lesson.ids[: lesson.middle_at] == prompt
    assert tokenizer.decode(lesson.ids[lesson.middle_at :]) == healed + middle + END


CODE = "".join(f"def area_{n}(first, second):\n    return [first * {n}, 'second']\n\n\n" for n in range(30))


def made(tokenizer, seed: int, stage: int = 1) -> list[Lesson]:
    teacher = Teacher(tokenizer, random.Random(seed), STAGES[stage])
    return list(teacher.lessons(PATH, CODE, [Snippet("shapes/side.py", CODE)], 60))


def test_the_same_seed_gives_the_same_lessons(tokenizer) -> None:
    assert made(tokenizer, 1) == made(tokenizer, 1)
    assert made(tokenizer, 1) != made(tokenizer, 2)


@pytest.mark.model
@pytest.mark.parametrize(("stage", "recorded"), [(1, "ac1d364217359aff"), (2, "fd3d2af9ee3e5b60")])
def test_a_seed_gives_the_lessons_that_it_gave_when_the_adapter_was_trained(
    embedded_gguf: Path, stage: int, recorded: str
) -> None:
    ids = [lesson.ids for lesson in made(GgufTokenizer(gguf.read(embedded_gguf)), 1, stage)]
    assert hashlib.sha256(repr(ids).encode()).hexdigest()[:16] == recorded


def test_every_lesson_ends_once_and_is_in_order(tokenizer) -> None:
    for lesson in made(tokenizer, 1):
        assert 0 < lesson.prefix_at <= lesson.middle_at < len(lesson.ids)
        assert lesson.ids[lesson.prefix_at - 1] == tokenizer.special_id("<issue_comment>")
        assert lesson.ids.index(tokenizer.special_id(END)) == len(lesson.ids) - 1


def test_windows_are_of_the_lengths_that_are_served(tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "BUDGETS", (64,))
    monkeypatch.setattr(lessons, "PATH_SHARE", 0.0)
    assert all(lesson.middle_at <= 64 + 1 for lesson in made(tokenizer, 1))


def test_a_file_with_nothing_to_take_out_gives_no_lessons(tokenizer) -> None:
    assert not list(Teacher(tokenizer, random.Random(1)).lessons(PATH, "\n\n", (), 5))


def test_a_vocabulary_without_the_pieces_of_the_format_cannot_be_taught(tokenizer) -> None:
    tokenizer.specials = ("<|endoftext|>",)
    with pytest.raises(ValueError, match="<issue_closed>"):
        Teacher(tokenizer, random.Random(1))
