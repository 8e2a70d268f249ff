import json

import pytest

MODULE = """\
import math


def area(radius):
    square = radius ** 2
    return math.pi * square


print(area(1))
"""


@pytest.fixture
def project(tmp_path):
    """A folder with code in it, and with what is none."""
    folder = tmp_path / "project"
    for path in ("a.py", "sub/b.py", "node_modules/c.py", ".hidden/d.py", "readme.md", "data.json"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(MODULE, encoding="utf-8")
    (folder / "latin.py").write_bytes(b"name = '\xe9'\n")
    return folder


@pytest.fixture
def asked(monkeypatch):
    """The holes that the command asks for."""
    seen = []

    async def ask(_self, hole, _way, _number):
        from lsp_server.evaluation.scores import Answer

        seen.append(hole)
        return Answer(hole.truth)

    monkeypatch.setattr("lsp_server.cli.eval.Examiner.ask", ask)
    return seen


def test_a_table_tells_each_language_and_kind(fim_ls, says, project):
    says("square")
    code, out, _ = fim_ls("eval", project, "--backend", "echo", "--samples", 12)
    assert code == 0
    for word in ("python", "rest of line", "whole line", "exact", "quiet", "p95", "echo on cpu"):
        assert word in out


def test_json_is_one_object_with_means_and_intervals(fim_ls, says, project):
    says("square")
    code, out, _ = fim_ls("eval", project, "--backend", "echo", "--samples", 12, "--seed", 5, "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["backend"], report["model"], report["seed"]) == ("echo", "echo", 5)
    assert report["places"] == sum(row["places"] for row in report["rows"])
    row = report["rows"][0]
    assert (row["language"], row["kind"]) == ("python", "rest of line")
    assert set(row["exact"]) == {"value", "low", "high"}
    assert set(row["latency_ms"]) == {"p50", "p95"}
    assert report["rows"][-1]["kind"] == "complete"
    assert report["rows"][-1]["exact"] is None


def test_an_answer_that_is_right_everywhere_scores_1(fim_ls, project, asked):
    _, out, _ = fim_ls("eval", project, "--backend", "echo", "--json")
    for row in json.loads(out)["rows"]:
        assert {row[name]["value"] for name in ("exact", "similarity", "stops_right") if row[name]} <= {1.0}


def test_a_folder_is_searched_for_code_only(fim_ls, project, asked):
    fim_ls("eval", project, "--backend", "echo", "--samples", 100)
    names = {hole.source.path.rpartition("project/")[2] for hole in asked}
    assert names == {"a.py", "sub/b.py"}


def test_a_file_that_is_named_is_taken_as_it_is(fim_ls, project, asked):
    fim_ls("eval", project / "node_modules/c.py", project / "node_modules", "--backend", "echo")
    assert {hole.source.path.rpartition("/")[2] for hole in asked} == {"c.py"}
    assert len({(hole.start, hole.end, hole.kind) for hole in asked}) == len(asked), "and only once"


def test_the_same_seed_asks_for_the_same_places(fim_ls, says, project):
    says("square")
    reports = []
    for seed in (1, 1, 2):
        _, out, _ = fim_ls("eval", project, "--backend", "echo", "--samples", 8, "--seed", seed, "--json")
        reports.append([(row["kind"], row["places"], row["similarity"]) for row in json.loads(out)["rows"]])
    assert reports[0] == reports[1] != reports[2]


def test_several_languages_are_summed_up(fim_ls, says, project):
    says("square")
    (project / "c.js").write_text("function f(a) {\n  return a + 1;\n}\nf(2);\n", encoding="utf-8")
    _, out, _ = fim_ls("eval", project, "--backend", "echo", "--json")
    assert {row["language"] for row in json.loads(out)["rows"]} == {"python", "javascript", "all"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nosuch",), "nosuch cannot be read: No such file or directory."),
        (("latin.py",), "latin.py is not UTF-8 (byte 8)."),
        (("readme.md", "--samples", "0"), "--samples wants a number of at least 1."),
        (("empty",), "There is no code in empty that something could be taken out of."),
        (("a.py", "--model", "smollm2"), "smollm2-135m"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence_and_exit_code_2(
    fim_ls, project, monkeypatch, arguments, sentence
):
    monkeypatch.chdir(project)
    (project / "empty").mkdir()
    backend = () if "--model" in arguments else ("--backend", "echo")
    code, out, err = fim_ls("eval", *arguments, *backend)
    assert (code, out) == (2, "")
    assert sentence in err


def test_a_model_that_fails_is_one_sentence_and_exit_code_1(fim_ls, says, project):
    says("", fail="The model is on fire.")
    code, out, err = fim_ls("eval", project, "--backend", "echo")
    assert (code, out) == (1, "")
    assert "fim-ls: The model is on fire." in err
