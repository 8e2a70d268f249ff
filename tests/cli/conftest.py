import json
import logging

import pytest

from lsp_server import cli


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch, no_hurry):
    """No test sees, or changes, the settings of who runs it."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr("lsp_server.settings.platformdirs.user_config_path", lambda *_a, **_k: home)
    return home


@pytest.fixture(autouse=True)
def own_log():
    """What a command does to the log of its process ends with the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def fim_ls(capsys):
    """Runs the command in this process: exit code, standard output, standard error."""

    def run(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def says(monkeypatch):
    """Sets what the echo backend writes."""
    return lambda text, **more: monkeypatch.setenv("FIM_LS_ECHO", json.dumps({"text": text, **more}))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "shapes.py"
    path.write_text("def add(a, b):\n    return \n\n\nprint(add(1, 2))\n", encoding="utf-8")
    return path
