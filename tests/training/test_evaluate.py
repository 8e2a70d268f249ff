from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lsp_server.backends.echo import EchoBackend, Script
from lsp_server.completion.fim import FORMATS
from lsp_server.engine.engine import Engine
from lsp_server.engine.job import Prepared
from lsp_server.engine.worker import WARM_UP
from lsp_server.errors import DocumentError
from training import evaluate
from training.contender import Contender

MODULE = """\
import math


def area(radius):
    square = radius ** 2
    return math.pi * square


print(area(1))
"""


@pytest.mark.parametrize(
    ("argument", "contender"),
    [
        ("base=a.gguf", Contender("base", "a.gguf", "")),
        ("zero shot=a.gguf:smollm2-spm", Contender("zero shot", "a.gguf", "smollm2-spm")),
        ("base=C:/a.gguf", Contender("base", "C:/a.gguf", "")),
        ("base=C:/a.gguf:causal", Contender("base", "C:/a.gguf", "causal")),
        ("x=a=b.gguf:causal", Contender("x", "a=b.gguf", "causal")),
    ],
)
def test_a_contender_is_a_name_a_model_and_perhaps_a_format(argument: str, contender: Contender) -> None:
    assert Contender.from_argument(argument) == contender


@pytest.mark.parametrize("argument", ["a.gguf", "=a.gguf", "base="])
def test_what_is_no_contender_is_told(argument: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="NAME=MODEL"):
        Contender.from_argument(argument)


def test_the_same_weights_asked_in_another_way_are_another_contender(tmp_path: Path) -> None:
    model = tmp_path / "a.gguf"
    model.write_bytes(b"weights")
    one, other = (Contender("x", str(model), form) for form in ("causal", "smollm2-spm"))
    before = one.identity()
    assert len({before, other.identity(), one.identity("llama_cpp"), one.identity("ik_llama")}) == 3
    model.write_bytes(b"better ones")
    assert one.identity() != before


class Comparison:
    """A comparison of two contenders that say what they are told; their prompts are counted."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.out = folder / "out"
        self.asked = 0
        self.files = folder / "files.jsonl"
        file = {"package": "p", "version": "1", "licence": "MIT", "language": "python", "text": MODULE}
        lines = [json.dumps({**file, "path": f"{number}.py"}) for number in range(12)]
        self.files.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.models = []
        for name in ("good", "bad"):
            model = folder / f"{name}.gguf"
            model.write_bytes(name.encode())
            self.models.append(f"{name}={model}:causal")
        monkeypatch.setattr(evaluate, "Engine", partial(Engine, make_backend=self.backend))

    def backend(self, *_: Any) -> Prepared:
        comparison = self

        class Counting(EchoBackend):
            def generate(self, request: Any, report: Any) -> Any:
                comparison.asked += request.text != WARM_UP
                return super().generate(request, report)

        return Prepared(Counting(Script("math.pi * square")), FORMATS["causal"])

    def __call__(self, *more: str) -> tuple[str, list[dict[str, Any]]]:
        flags = [word for model in self.models for word in ("--model", model)]
        arguments = evaluate.parser().parse_args(
            [str(self.files), str(self.out), *flags, "--samples", "12", *more]
        )
        self.asked = 0
        table = evaluate.compare(arguments)
        lines = (self.out / "answers.jsonl").read_text(encoding="utf-8").splitlines()
        return table, [json.loads(line) for line in lines]


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Comparison:
    return Comparison(tmp_path, monkeypatch)


def test_contenders_are_asked_for_the_same_holes_and_every_answer_is_written(compare: Comparison) -> None:
    table, answers = compare()
    good, bad = answers[:12], answers[12:]
    assert {answer["contender"] for answer in good} == {"good"}
    assert [(one["path"], one["start"]) for one in good] == [(one["path"], one["start"]) for one in bad]
    assert (compare.out / "table.md").read_text(encoding="utf-8") == table
    assert {"truth", "before", "after", "scores", "answer"} <= set(answers[0])
    assert "### Served" in table
    assert "### Raw" not in table


def test_raw_answers_stand_beside_those_that_are_served(compare: Comparison) -> None:
    table, answers = compare("--raw")
    assert len(answers) == 2 * 2 * 12
    assert table.index("### Served") < table.index("### Raw")


def test_a_run_that_was_stopped_goes_on_where_it_was(compare: Comparison) -> None:
    table, answers = compare()
    path = compare.out / "answers.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:15]) + lines[15][:40], encoding="utf-8")
    again, resumed = compare("--resume")
    assert compare.asked <= len(lines) - 15
    assert [answer["scores"] for answer in resumed] == [answer["scores"] for answer in answers]
    assert again.count("\n") == table.count("\n")


def test_without_resume_everything_is_asked_again(compare: Comparison) -> None:
    compare()
    first = compare.asked
    _, answers = compare()
    assert compare.asked == first > 0
    assert len(answers) == 24


def test_files_that_are_not_there_are_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"training\.corpus --held-out\.$"):
        evaluate.sources(tmp_path / "files.jsonl")
