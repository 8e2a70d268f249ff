import json

import pytest

from lsp_server.engine import loading


def test_a_suggestion_is_drawn_in_its_place(fim_ls, says, source):
    says("a + b")
    code, out, _ = fim_ls("complete", f"{source}:2:12", "--backend", "echo")
    assert code == 0
    assert "    return a + b" in out
    assert "print(add(1, 2))" in out


def test_json_is_one_object_with_the_fields_of_the_contract(fim_ls, says, source):
    says("a + b")
    code, out, _ = fim_ls("complete", f"{source}:2:12", "--backend", "echo", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["text"] == "a + b"
    assert answer["candidates"] == ["a + b"]
    assert answer["range"] == {"start": {"line": 2, "column": 12}, "end": {"line": 2, "column": 12}}
    assert (answer["backend"], answer["finish_reason"], answer["dropped_by"]) == ("echo", "stop", None)
    assert set(answer["usage"]) == {"prompt_tokens", "cached_tokens", "completion_tokens"}
    assert set(answer["timings_ms"]) == {"queue", "prefill", "decode", "total"}


def test_what_is_to_be_known_of_a_model_that_is_fetched_is_said_once(fim_ls, says, source, monkeypatch):
    says("a + b")
    make, sentence = loading.make_backend, "someone/model comes under a licence of its own."
    monkeypatch.setattr(loading, "make_backend", lambda *given: make(*given)._replace(notice=sentence))
    code, out, err = fim_ls("complete", f"{source}:2:12", "--backend", "echo", "--json")
    assert (code, err) == (0, f"{sentence}\n")
    assert json.loads(out)["text"] == "a + b"


def test_nothing_to_suggest_is_no_error(fim_ls, says, source):
    says("")
    code, out, _ = fim_ls("complete", f"{source}:2:12", "--backend", "echo", "--json")
    assert code == 0
    assert json.loads(out)["text"] is None
    assert json.loads(out)["dropped_by"] == "drop_empty"


def test_a_failure_is_one_sentence_and_exit_code_1(fim_ls, says, source):
    says("", fail="The model is on fire.")
    code, out, err = fim_ls("complete", f"{source}:2:12", "--backend", "echo")
    assert (code, out) == (1, "")
    assert err.strip() == "fim-ls: The model is on fire."


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("{path}", "is not of the form FILE:LINE:COL"),
        ("{path}:two:1", "is not of the form FILE:LINE:COL"),
        ("{path}:0:1", "so there is no line 0"),
        ("{path}:99:1", "so there is no line 99"),
        ("{path}:1:0", "has columns 1 to 15, not 0"),
        ("{path}:1:16", "has columns 1 to 15, not 16"),
        ("{path}.gone:1:1", "cannot be read: No such file or directory."),
        ("{path.parent}:1:1", "cannot be read: Is a directory."),
    ],
)
def test_a_place_that_is_none_is_one_sentence_and_exit_code_2(fim_ls, source, place, sentence):
    code, out, err = fim_ls("complete", place.format(path=source), "--backend", "echo")
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_a_file_that_is_not_utf8_is_one_sentence(fim_ls, tmp_path):
    path = tmp_path / "latin.py"
    path.write_bytes(b"name = '\xe9'\n")
    code, _, err = fim_ls("complete", f"{path}:1:1", "--backend", "echo")
    assert code == 2
    assert "is not UTF-8 (byte 8)." in err


@pytest.mark.parametrize(("column", "shown"), [(13, "😀x"), (12, "x😀")])
def test_columns_count_characters(fim_ls, says, tmp_path, column, shown):
    path = tmp_path / "astral.py"
    path.write_text("'0123456789😀'\n", encoding="utf-8")
    says("x")
    _, out, _ = fim_ls("complete", f"{path}:1:{column}", "--backend", "echo")
    assert shown in out


def test_an_unknown_model_names_the_nearest(fim_ls, source):
    code, _, err = fim_ls("complete", f"{source}:2:12", "--model", "smollm2")
    assert code == 2
    assert "smollm2-135m" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--set", "maxNewTokens"), "--set wants KEY=VALUE"),
        (("--set", "maxNewTokens=many"), "maxNewTokens must be a number from 1 to 2048"),
        (("--set", "noSuch=1"), "there is no setting noSuch"),
        (("--set", "openai=5"), "openai must be a table."),
        (("--set", "openai=5", "--set", "openai.baseUrl=x"), "openai is not a table"),
        (("--backend", "abacus"), "backend must be one of auto, "),
    ],
)
def test_a_setting_that_cannot_be_is_one_sentence(fim_ls, source, arguments, sentence):
    code, _, err = fim_ls("complete", f"{source}:2:12", *arguments)
    assert code == 2
    assert sentence in err


def test_json_tells_what_a_suggestion_repeats_of_other_files_of_the_project(fim_ls, says, source):
    line = "return sum(price * count for price, count in basket.items())"
    (source.parent / "pyproject.toml").touch()
    other = source.parent / "package" / "shop.py"
    other.parent.mkdir()
    other.write_text(f"def pay(basket):\n    {line}\n", encoding="utf-8")
    says(line.removeprefix("return "))
    _, out, _ = fim_ls("complete", f"{source}:2:12", "--backend", "echo", "--json")
    assert json.loads(out)["repeats"] == [
        {"path": str(other), "line": 2, "characters": len(line) - len("return ")}
    ]


def test_a_suggestion_of_its_own_repeats_nothing(fim_ls, says, source):
    says("a + b")
    _, out, _ = fim_ls("complete", f"{source}:2:12", "--backend", "echo", "--json")
    assert json.loads(out)["repeats"] == []
