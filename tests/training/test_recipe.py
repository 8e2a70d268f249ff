from __future__ import annotations

import re
from pathlib import Path

TRAINING = Path(__file__).parents[2] / "training"
README = (TRAINING / "README.md").read_text(encoding="utf-8")
RECIPE = (TRAINING / "run.sh").read_text(encoding="utf-8")


def test_the_readme_names_every_module_and_no_other() -> None:
    named = set(re.findall(r"`(\w+\.py)`", README))
    assert named == {path.name for path in TRAINING.glob("*.py")}


def test_the_readme_has_the_recipes_numbers_and_seeds() -> None:
    values = re.findall(r"lessons=(\d+) validation=(\d+)", RECIPE)
    for lessons, validation in values[1:]:
        assert f"--lessons {lessons} --seed 1" in README
        assert f"--lessons {validation} --seed 2" in README
    assert '--lessons "$lessons" --seed 1' in RECIPE
    assert '--lessons "$validation" --seed 2' in RECIPE


def test_the_recipe_runs_commands_that_are_there() -> None:
    modules = set(re.findall(r"-m training\.(\w+)", RECIPE))
    assert modules == {"corpus", "prepare", "train", "export", "evaluate"}
    assert all((TRAINING / f"{module}.py").exists() for module in modules)
