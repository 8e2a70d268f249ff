"""Whole answers of models through all filters: what is shown, and what is not."""

import tomllib
from pathlib import Path

import pytest

from lsp_server.completion.document import Document
from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess import FilterContext, postprocess

GOLDEN = Path(__file__).parent / "golden"


def cases():
    for path in sorted(GOLDEN.glob("*.toml")):
        for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
            yield pytest.param(case, id=f"{path.stem}: {case['name']}")


@pytest.mark.parametrize("case", list(cases()))
def test_the_golden_answer_is_shown(case):
    before, cursor, _ = case["document"].partition("|")
    assert cursor, "the document has a cursor"
    source = case["document"].replace("|", "", 1)
    document = Document.from_source("file:///golden", case.get("language", "python"), source)
    snapshot = document.at_offset(len(before.replace("\r\n", "\n")))
    context = FilterContext(snapshot, case.get("multiline", True), case.get("finish_reason", "stop"))

    processed = postprocess([case["model"]], context)

    assert processed.dropped_by == case.get("dropped_by")
    if "dropped_by" in case:
        assert processed.suggestions == ()
    else:
        expected = Suggestion(case.get("text", case["model"]), case.get("replaces", 0))
        assert processed.suggestions == (expected,)


def test_there_are_good_answers_that_nothing_changes():
    untouched = tomllib.loads((GOLDEN / "untouched.toml").read_text(encoding="utf-8"))["case"]
    assert len(untouched) >= 8
    assert not any({"text", "dropped_by"} & case.keys() for case in untouched)
