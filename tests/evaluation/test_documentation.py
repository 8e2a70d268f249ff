from pathlib import Path

import pytest

from lsp_server.evaluation.holes import KINDS
from lsp_server.evaluation.scores import MEASURES

DOCUMENT = Path(__file__).parents[2] / "docs/evaluation.md"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_documented_with_its_share(kind):
    rows = [
        line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {kind} |")
    ]
    assert [row.rstrip(" |").rpartition("| ")[2] for row in rows] == [str(KINDS[kind])]


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_is_documented(measure):
    assert f"\n| {measure.replace('_', ' ')} |" in DOCUMENT.read_text(encoding="utf-8")
