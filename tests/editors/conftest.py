"""The editors that install.sh installed, and the machine of a user who has one of them and fim-ls."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from lsp_server.models import embedded

from .terminal import Terminal

ROOT = Path(__file__).parents[2]
EDITORS = Path(os.environ.get("FIM_LS_EDITORS", ROOT / ".venv" / "editors")).absolute()
RECIPES = {
    "nvim-0.11": "neovim-0.11",
    "nvim-0.12": "neovim-0.12",
    "hx": "helix",
    "code-server": "vscode",
    "npm": "node",
}
"""The name that install.sh knows a launcher's editor by, where it is another one."""
CODE_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def find_launcher(name: str) -> Path:
    """The program that starts an editor; without it the test is skipped, or fails where it may not be."""
    path, recipe = EDITORS / "bin" / name, RECIPES.get(name, name)
    if (EDITORS / "stamps" / recipe).exists():
        return path
    unavailable = EDITORS / "unavailable" / recipe
    if unavailable.exists():
        pytest.skip(f"{recipe} could not be fetched: {unavailable.read_text().strip()}")
    reason = f"{recipe} is not installed; tests/editors/install.sh {recipe} brings it"
    if os.environ.get("FIM_LS_EDITORS_REQUIRED"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def launcher() -> Callable[[str], Path]:
    """Finds the program that starts an editor; see ``find_launcher``."""
    return find_launcher


class Machine:
    """A machine with an empty home, the command ``fim-ls`` on the PATH and the embedded model's weights.

    Attributes:
        home: where its user keeps everything.
        environment: what its user's programs are started with.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {
            "HOME": str(home),
            "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_DATA_HOME": str(home / ".local/share"),
            "XDG_STATE_HOME": str(home / ".local/state"),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "XDG_RUNTIME_DIR": str(home / "run"),
            embedded.DATA_DIR_VARIABLE: str(embedded.models_dir().parent),
        }
        (home / "run").mkdir(parents=True, mode=0o700)
        self._pids = home / "run" / "servers"
        self._install()

    def _install(self) -> None:
        self.write(
            "bin/fim-ls",
            f'#!/bin/sh\necho $$ >>"{self._pids}"\nexport PYTHONPATH="{ROOT}"\n'
            f'exec "{sys.executable}" -m lsp_server "$@"\n',
        ).chmod(0o755)

    def write(self, path: str, text: str) -> Path:
        """Write a file below the home, byte by byte as given; returns its path."""
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        return file

    def echo(self, **script: object) -> None:
        """Let the model be one that says what a script says; see lsp_server/backends/echo.py."""
        self.write(".config/fim-ls/config.toml", 'backend = "echo"\n')
        self.environment["FIM_LS_ECHO"] = json.dumps(script)

    def kill_server(self) -> None:
        """End the server that was started last, as a crash would."""
        os.kill(int(self._pids.read_text().split()[-1]), signal.SIGKILL)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """The machine of a user."""
    return Machine(tmp_path / "home")


@pytest.fixture
def checkout() -> Path:
    """The folder that newcomers have before them when they follow a README."""
    return ROOT


@pytest.fixture
def code_blocks() -> Callable[[str, str], list[str]]:
    """The code blocks of a language in the README of an editor, which are what its reader pastes."""

    def code_blocks(editor: str, language: str) -> list[str]:
        readme = (ROOT / "editors" / editor / "README.md").read_text()
        return [code for written_in, code in CODE_BLOCK.findall(readme) if written_in == language]

    return code_blocks


@pytest.fixture
def terminal(machine: Machine) -> Iterator[Callable[..., Terminal]]:
    """Start a program of the machine in a terminal; see ``Terminal``."""
    terminals: list[Terminal] = []

    def start(*command: str | Path, **more: object) -> Terminal:
        terminals.append(Terminal(command, machine.environment, machine.home, **more))
        return terminals[-1]

    yield start
    for each in terminals:
        each.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser, in which each test opens pages of its own."""
    program = find_launcher("chromium")
    # While it is driven there is a running event loop, which tests of other modules could not bear.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """The folder that pictures of the documentation are written to."""
    chosen = os.environ.get("FIM_LS_IMAGES")
    folder = Path(chosen).absolute() if chosen else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what makes pictures."""
    for item in items:
        if "pictures" in getattr(item, "fixturenames", ()):
            item.add_marker("picture")
