from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_each_part_that_the_benchmark_leaves_out_is_there_and_documented() -> None:
    code = "import without; print(*without.PARTS); [leave_out() for leave_out in without.PARTS.values()]"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "benchmarks", capture_output=True, text=True, check=True
    )
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    table = page.partition("| part | is |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == said.stdout.split()
