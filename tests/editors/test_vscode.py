"""What the user of a real VS Code sees: with our extension, and with a client that only completes."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from .conftest import EDITORS, ROOT, Machine, find_launcher
from .workbench import CodeServer, opened

pytestmark = pytest.mark.editor

SCRIPT = {
    "answers": {
        "return ax": " * 2",
        "def add": "a + b",
        "total += item": "",
        "def total": "total = 0\n    for item in items:\n        total += item\n    return total\n",
        "def greet": '"hello é😀", name',
        "result =": " sum(numbers)",
    }
}
ADD = "def add(a, b):\n    return|\n\nprint(add(1, 2))"
SUGGESTED = "def add(a, b):\n    return |«a + b»\n\nprint(add(1, 2))"
TOTAL = "def total(items):|"
TOTAL_REST = "«    for item in items:»\n«        total += item»\n«    return total»"
TOTAL_SUGGESTED = f"def total(items):\n    |«total = 0»\n{TOTAL_REST}"
GREET = 'def greet(name):\r\n    print("é😀",|)\r\n'
READY = "echo · cpu"
AVERAGES = '''def average(numbers):
    """The mean of the numbers."""
    return|


def median(numbers):
    """The middle one of the numbers."""
    return sorted(numbers)[len(numbers) // 2]
'''


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Package an extension by its own script; returns the file."""

    def package(source):
        folder = tmp_path_factory.mktemp("built") / source.name
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
        (folder / "node_modules").symlink_to(EDITORS / "node" / "node_modules")
        path = f"{EDITORS / 'bin'}{os.pathsep}{os.environ['PATH']}"
        command = [find_launcher("npm"), "run", "package"]
        # The wheel that it brings is built of the checkout, with what is installed: nothing is fetched.
        wheel = {"PYTHON": sys.executable, "FIM_LS_CHECKOUT": str(ROOT), "PIP_NO_BUILD_ISOLATION": "0"}
        subprocess.run(command, cwd=folder, env=os.environ | wheel | {"PATH": path}, check=True)
        return folder / "dist" / "extension.vsix"

    return package


@pytest.fixture(scope="module")
def visual_studio_code(tmp_path_factory, package, browser):
    """Open a VS Code with an extension, on a machine whose model says what its ``echo.json`` tells it."""

    @contextmanager
    def visual_studio_code(source):
        machine = Machine(tmp_path_factory.mktemp("machine") / "home")
        machine.echo()
        machine.write("echo.json", json.dumps(SCRIPT))
        command = (machine.home / "bin" / "fim-ls").read_text()
        read_script = 'export FIM_LS_ECHO="$(cat ~/echo.json)"\nexec '
        machine.write("bin/fim-ls", command.replace("exec ", read_script))
        with (
            closing(CodeServer(find_launcher("code-server"), machine, package(source))) as server,
            opened(server, browser) as window,
        ):
            yield window

    return visual_studio_code


@pytest.fixture(scope="module")
def shared_window(visual_studio_code):
    with visual_studio_code(ROOT / "editors" / "vscode") as window:
        window.sees_status(READY)
        window.edit("wake.py", ADD)
        window.wakes_up()
        window.run("View: Revert and Close Editor")
        yield window


@pytest.fixture
def window(shared_window):
    """A window with our extension; one for all tests, since it takes long to open."""
    yield shared_window
    shared_window.server.set()
    shared_window.press("Escape", "Escape")


def test_tab_takes_what_is_drawn_at_the_cursor(window):
    window.edit("tab.py", ADD)
    window.type(" ")
    window.sees(SUGGESTED)
    window.press("Tab")
    # Behind it there may be another suggestion already.
    window.waits_for(lambda: window.drawing.startswith("def add(a, b):\n    return a + b|"), "it in the text")


def test_typing_along_keeps_the_rest_and_typing_something_else_asks_anew(window):
    window.edit("along.py", ADD)
    window.type(" ")
    window.sees(SUGGESTED)
    window.type("a")
    window.sees("def add(a, b):\n    return a|« + b»\n\nprint(add(1, 2))")
    window.type("x")
    window.sees("def add(a, b):\n    return ax|« * 2»\n\nprint(add(1, 2))")


def test_a_word_and_a_line_are_taken_by_keys(window):
    window.edit("parts.py", TOTAL)
    window.press("Enter")
    window.sees(TOTAL_SUGGESTED)
    window.press("Control+ArrowRight")
    window.sees(f"def total(items):\n    total|« = 0»\n{TOTAL_REST}")
    window.press("Control+Alt+ArrowRight")
    window.sees(f"def total(items):\n    total = 0\n|{TOTAL_REST}")


def test_escape_puts_it_away_and_tab_is_a_tab_again(window):
    window.edit("away.py", ADD)
    window.type(" ")
    window.sees(SUGGESTED)
    window.press("Escape")
    window.sees("def add(a, b):\n    return |\n\nprint(add(1, 2))")
    window.press("Tab")
    # Behind it there may be another suggestion already.
    window.waits_for(lambda: window.drawing.startswith("def add(a, b):\n    return  |"), "a tab")


def test_a_file_with_carriage_returns_and_emojis_keeps_them(window):
    file = window.edit("greet.py", GREET)
    window.type(" ")
    window.sees('def greet(name):\n    print("é😀", |«"hello é😀", name»)')
    # VS Code puts the cursor a place too early for each emoji in what it inserts: only the text is looked at.
    window.press("Tab")
    window.press("Control+S")
    saved = GREET.replace("|", ' "hello é😀", name').encode()
    window.waits_for(lambda: file.read_bytes() == saved)


def test_each_file_gets_its_own(window):
    window.edit("first.py", ADD)
    window.type(" ")
    window.sees(SUGGESTED)
    window.edit("second.py", TOTAL)
    window.press("Enter")
    window.sees(TOTAL_SUGGESTED)


def test_the_menu_switches_suggestions_off_for_the_language(window):
    window.edit("off.py", ADD)
    window.open_menu()
    window.shows(".quick-input-title", "fim-ls: ready · echo on cpu")
    window.choose("Turn suggestions off for python")
    window.sees_status("fim-ls: off")
    window.open_menu()
    window.choose("Turn suggestions on for python")
    window.sees_status(READY)
    window.edit("on.py", ADD)
    window.type(" ")
    window.sees(SUGGESTED)


def test_settings_hold_at_once(window):
    window.server.set(enabled=False)
    window.sees_status("fim-ls: off")
    window.server.set(multiline="never")
    window.sees_status(READY)
    window.edit("single.py", TOTAL)
    window.press("Enter")
    window.sees("def total(items):\n    |«total = 0»")


def test_a_page_explains_the_last_suggestion_and_counts_what_was_taken(window):
    window.edit("explained.py", ADD)
    window.type(" ")
    window.sees(SUGGESTED)
    window.run("fim-ls: Explain the Last Suggestion")
    window.shows(".view-lines", "trigger")
    window.run("View: Close Editors in Other Groups")


def test_a_server_that_was_killed_is_started_again(window):
    with anew(window):
        window.server.machine.kill_server()
    window.edit("again.py", ADD)
    window.wakes_up()


def test_while_the_model_is_loaded_the_status_bar_tells_how_far_it_is(window):
    machine = window.server.machine
    loaded = machine.home / "loaded"
    machine.write("echo.json", json.dumps(SCRIPT | {"loads_when": str(loaded)}))
    with anew(window):
        window.run("fim-ls: Restart the Server")
        window.sees_status("fim-ls 50 %")
        window.edit("early.py", ADD)
        window.type(" ")
        loaded.touch()
    window.press("Backspace")
    window.wakes_up()


@pytest.mark.model
def test_the_embedded_model_writes_an_expression(window, embedded_gguf, pictures):
    window.server.set(backend="auto")
    window.sees_status("SmolLM2")
    window.edit("averages.py", AVERAGES)
    window.type(" ")
    assert "numbers" in window.sees_ghost_text()
    window.picture(pictures / "vscode.png")
    window.open_menu()
    window.picture(pictures / "vscode-menu.png")


def test_without_a_command_on_the_path_it_is_installed_for_the_editor_alone(window):
    (window.server.machine.home / "bin" / "fim-ls").unlink()
    window.run("fim-ls: Restart the Server")
    window.sees_status("fim-ls: error")
    window.choose("Install")
    window.sees_status(READY)


def test_through_any_other_client_it_is_an_item_of_the_completion_list(visual_studio_code):
    with visual_studio_code(Path(__file__).with_name("vscode")) as window:
        window.shows(".statusbar-item", "The server has started.")
        window.edit("list.py", "numbers = [1, 2]\nresult |\n")
        window.type("=")
        window.shows(".suggest-widget .monaco-list-row.focused", "sum(numbers)")
        window.press("Tab")
        window.sees("numbers = [1, 2]\nresult = sum(numbers)|")


@contextmanager
def anew(window):
    """A stretch in which another server is started; it is ready at the end."""
    started = window.server.machine.home / "run" / "servers"
    before = started.read_text()
    yield
    window.waits_for(lambda: started.read_text() != before)
    window.sees_status(READY)
