from __future__ import annotations

from lsp_server.evaluation.holes import Hole, Source
from lsp_server.evaluation.run import Way
from lsp_server.evaluation.scores import Answer
from training.results import Record, markdown


def record(contender: str, text: str, language: str = "python", way: Way = "served") -> Record:
    hole = Hole("rest of line", Source("p", "a", language, "a = 1\nb = 2\n"), 4, 5)
    return Record(contender, way, hole, Answer(text, milliseconds=120))


def rows(table: str) -> list[list[str]]:
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_contenders_stand_side_by_side() -> None:
    table = markdown([record("base", "2"), record("tuned", "1")], ["base", "tuned"])
    found = [row for row in rows(table) if row[:2] == ["python", "rest of line"]]
    assert [row[2:5] for row in found] == [
        ["base", "1", "0.00 (0.00-0.00)"],
        ["tuned", "1", "1.00 (1.00-1.00)"],
    ]


def test_every_row_has_as_many_cells_as_the_head() -> None:
    records = [record("base", text, language) for text in ("1", "") for language in ("python", "go", "c")]
    table = rows(markdown(records, ["base"]))
    assert len({len(row) for row in table}) == 1


def test_languages_are_pooled_by_kind_and_told_apart_over_all_kinds() -> None:
    records = [record("base", "1", language) for language in ("python", "go", "typescriptreact")]
    found = rows(markdown(records, ["base"]))
    heads = [row[0] for row in found if row[0] not in ("files", "language", "---")]
    assert heads == ["python", "others", "all", "go", "python", "typescript"]
    assert [row[3] for row in found if row[0] == "others"] == ["2"]


def test_only_what_is_served_is_timed() -> None:
    served = rows(markdown([record("base", "1")], ["base"]))[-1]
    raw = rows(markdown([record("base", "1", way="raw")], ["base"]))[-1]
    assert (served[-1], raw[-1]) == ("120 / 120", "")


def test_what_is_asked_in_a_session_has_a_table_of_its_own() -> None:
    both = markdown([record("base", "1"), record("base", "1", way="anchored")], ["base"])
    heads = [line.split()[1] for line in both.split("\n") if line.startswith("###")]
    assert heads == ["Served:", "Anchored:"]
