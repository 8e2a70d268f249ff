import argparse

import pytest

from lsp_server.cli.options import add_settings, command_line_values, settings_of


@pytest.fixture
def parsed():
    parser = argparse.ArgumentParser()
    add_settings(parser)
    return lambda *arguments: parser.parse_args(arguments)


def test_assignments_are_read_as_toml_writes_them(parsed):
    arguments = parsed("--set", "candidates=2", "--set", "enabled=false", "--set", 'disabledLanguages=["c"]')
    assert command_line_values(arguments) == {
        "candidates": 2,
        "enabled": False,
        "disabledLanguages": ["c"],
    }


def test_what_is_not_toml_is_a_text(parsed):
    arguments = parsed("--set", "openai.baseUrl=http://127.0.0.1:1/v1", "--set", "openai.model=code")
    assert command_line_values(arguments) == {"openai": {"baseUrl": "http://127.0.0.1:1/v1", "model": "code"}}


def test_the_command_line_wins_over_the_users_file(parsed, own_home):
    (own_home / "config.toml").write_text('model = "mine.gguf"\ncandidates = 5\n', encoding="utf-8")
    settings = settings_of(parsed("--model", "yours.gguf"))
    assert (settings.model, settings.candidates) == ("yours.gguf", 5)


def test_a_problem_in_the_users_file_is_told_and_passed_over(parsed, own_home, capsys):
    (own_home / "config.toml").write_text('candidates = "many"\n', encoding="utf-8")
    assert settings_of(parsed()).candidates == 3
    assert "candidates must be a number from 1 to 8" in capsys.readouterr().err


def test_a_users_file_that_is_not_toml_is_an_error(fim_ls, own_home):
    (own_home / "config.toml").write_text("candidates = = 1", encoding="utf-8")
    code, _, err = fim_ls("doctor", "--backend", "echo")
    assert code == 2
    assert "config.toml cannot be read" in err
