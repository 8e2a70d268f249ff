"""What the user of a real Emacs sees, 28 with the Eglot of its time and 30 with its own.

Ghost text is drawn by our package, set up as editors/emacs/README.md says; with Eglot alone a suggestion is
an item among the completions.
"""

import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from .terminal import GHOST_COLOUR

pytestmark = pytest.mark.editor

PACKAGE = Path(__file__).parents[2] / "editors" / "emacs" / "fim-ls.el"
CHROME = 2
"""The mode line and the echo area."""
SIZE = (120, 24)
NOT_NATIVE = "(setq native-comp-deferred-compilation nil native-comp-jit-compilation nil)\n"
"""Compiling what was never compiled would take all of the machine meanwhile."""
PLAIN = f"""
(setq inhibit-startup-screen t make-backup-files nil auto-save-default nil create-lockfiles nil)
(menu-bar-mode -1)
(setq flymake-indicator-type nil frame-background-mode 'dark)
(frame-set-background-mode (selected-frame))
(custom-set-faces '(fim-ls-ghost-text ((t (:foreground "#{GHOST_COLOUR}")))))
"""
COMPLETIONS = """
(defun abc-or-abd () (list (line-beginning-position) (point) '("abc" "abd")))
(add-hook 'completion-at-point-functions #'abc-or-abd)
"""
STATISTICS = """
(defun statistics ()
  (interactive)
  (fim-ls--execute "fim-ls.status" [] (lambda (result) (message "%S" (plist-get result :statistics)))))
"""
CANDIDATES = """
(defun candidate (text) (list :insertText text :range '(:end (:character 4))))
(defun draw-other (how)
  (funcall how)
  (princ (concat (substring-no-properties (overlay-get fim-ls--overlay 'before-string)) " ")))
(insert "x = ")
(setq candidates (vector (candidate "two") (candidate "one") (candidate "ten")))
(fim-ls--show (fim-ls--received '(:character 4) candidates))
(mapc #'draw-other '(fim-ls-next fim-ls-next fim-ls-next fim-ls-previous))
(insert "t")
(draw-other 'fim-ls-next)
"""
SUM = {"text": "a + b", "answers": {"return x": " * 2", "return a + b": ""}}
RECTANGLE = """\
def area(width, height):
    return width * height


def perimeter(width, height):
    |
"""
TOTAL = {"text": "\n    result = 0\n    return result\n", "answers": {"return result": ""}}


@pytest.fixture(scope="session", params=["emacs-28", "emacs-30"])
def emacs(request, launcher):
    """The program that starts an Emacs."""
    return launcher(request.param)


@pytest.fixture(scope="session")
def installed(emacs, tmp_path_factory):
    """The folder of installed packages, after ``package-install-file``; nothing may be found fault with."""
    home = tmp_path_factory.mktemp("emacs")
    folder = f'(progn (require \'package) (setq package-user-dir "{home}/elpa"))'
    said = in_batch(emacs, home, "--eval", folder, "--eval", f'(package-install-file "{PACKAGE}")')
    assert "fim-ls.el:" not in said, said
    return home / "elpa"


def in_batch(emacs, home, *arguments):
    """Run an Emacs without a terminal; returns what it said."""
    command = [emacs, "-Q", "--batch", "--eval", NOT_NATIVE, *arguments]
    ran = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=120, check=True)
    return ran.stdout + ran.stderr


class Editor:
    """A user at an Emacs in a terminal, to whom it shows a file."""

    def __init__(self, terminal, file):
        self.terminal = terminal
        self.file = file

    def __getattr__(self, name):
        return getattr(self.terminal, name)

    def command(self, name):
        self.type(f"<M-x>{name}<CR>")

    def saved(self):
        """Save; returns the bytes of the file."""
        self.type("<C-x><C-s>")
        self.shows("Wrote ")
        return self.file.read_bytes()


@pytest.fixture
def readme(code_blocks):
    """What the README has its reader put into ``init.el``."""
    setup, address, eglot, settings = code_blocks("emacs", "elisp")
    return SimpleNamespace(setup=setup, address=address, eglot=eglot, settings=settings)


@pytest.fixture
def edit(emacs, installed, machine, terminal, readme):
    """Open the text of a drawing in an Emacs with our package, set up as the README says."""
    shutil.copytree(installed, machine.home / ".emacs.d" / "elpa")
    machine.write(".emacs.d/early-init.el", NOT_NATIVE)

    def edit(drawing, name="a.py", setup=readme.setup, more="", size=SIZE, **echo):
        if echo:
            machine.echo(**echo)
        before, after = drawing.split("|")
        file = machine.write(name, before + after)
        machine.write(".emacs.d/init.el", PLAIN + setup + more)
        place = len(before.replace("\r", "")) + 1
        program = terminal(emacs, "-nw", file, "--eval", f"(goto-char {place})", chrome=CHROME, size=size)
        program.shows(rf"{name} .*\(")
        return Editor(program, file)

    return edit


def test_nothing_is_found_fault_with(emacs, installed, tmp_path):
    check = f'(progn (require \'checkdoc) (checkdoc-file "{PACKAGE}"))'
    assert in_batch(emacs, tmp_path, "--eval", check) == ""


def test_tab_inserts_what_is_drawn_at_the_cursor(edit):
    editor = edit("def add(a, b):\n    |\n", **SUM)
    editor.type("return ")
    editor.sees("def add(a, b):\n    return |«a + b»")
    editor.type("<Tab>")
    editor.sees("def add(a, b):\n    return a + b|")
    assert editor.saved() == b"def add(a, b):\n    return a + b\n"


def test_tab_without_ghost_text_indents(edit):
    editor = edit("def add(a, b):\n|", **SUM)
    editor.type("<Tab>")
    editor.sees("def add(a, b):\n    |")


def test_typing_along_keeps_the_rest_and_needs_no_server(edit, machine):
    editor = edit("def add(a, b):\n    |", **SUM)
    editor.type("return ")
    editor.sees("def add(a, b):\n    return |«a + b»")
    machine.kill_server()
    editor.shows("fim-ls:stopped")
    editor.type("a +")
    editor.sees("def add(a, b):\n    return a +|« b»")
    editor.type("<BS>")
    editor.sees("def add(a, b):\n    return a |«+ b»")


def test_typing_something_else_asks_anew(edit):
    editor = edit("def add(a, b):\n    |", **SUM)
    editor.type("return ")
    editor.sees("def add(a, b):\n    return |«a + b»")
    editor.type("x")
    editor.sees("def add(a, b):\n    return x|« * 2»")


def test_a_block_is_drawn_between_the_lines(edit):
    editor = edit("def total(items)|\n\n\nprint(total([1]))", **TOTAL)
    editor.type(":")
    editor.sees("def total(items):|\n«    result = 0»\n«    return result»\n\n\nprint(total([1]))")
    editor.type("<Tab>")
    editor.sees("def total(items):\n    result = 0\n    return result|\n\n\nprint(total([1]))")


def test_the_rest_of_the_line_is_drawn_where_it_will_stand(edit):
    editor = edit("numbers = set(|])", text="\n    1,\n    2,\n]", answers={"2,\n": ""})
    editor.type("[")
    editor.sees("numbers = set([|\n«    1,»\n«    2,»\n«]»)")
    editor.type("<Tab>")
    editor.sees("numbers = set([\n    1,\n    2,\n]|)")


def test_a_closer_that_stands_there_is_not_doubled(edit):
    editor = edit('print("é😀",|)', text="a, b)", answers={"a, b": ""})
    editor.type(" ")
    editor.sees('print("é😀", |«a, b»)')
    editor.type("<Tab>")
    editor.sees('print("é😀", a, b)|')


def test_deleting_asks_too_even_at_the_start_of_a_line(edit):
    editor = edit("print(one,\nx|)", text="a, b)")
    editor.type("<BS>")
    editor.sees("print(one,\n|«a, b»)")


def test_a_file_with_carriage_returns_and_an_emoji_keeps_them(edit):
    editor = edit("# 😀\r\ndef total(items)|\r\n\r\nprint()\r\n", **TOTAL)
    editor.type(":")
    editor.sees("# 😀\ndef total(items):|\n«    result = 0»\n«    return result»\n\nprint()")
    editor.type("<Tab>")
    editor.sees("# 😀\ndef total(items):\n    result = 0\n    return result|\n\nprint()")
    assert editor.saved().endswith(b"\r\n    result = 0\r\n    return result\r\n\r\nprint()\r\n")


def test_words_and_lines_are_taken_one_at_a_time(edit):
    editor = edit("def total(items)|\n", **TOTAL)
    editor.type(":")
    editor.sees("def total(items):|\n«    result = 0»\n«    return result»")
    editor.type("<M-f>")
    editor.sees("def total(items):\n    result|« = 0»\n«    return result»")
    editor.type("<C-Right>")
    editor.sees("def total(items):\n    result =|« 0»\n«    return result»")
    editor.type("<M-e>")
    editor.sees("def total(items):\n    result = 0|\n«    return result»")
    editor.type("<M-e>")
    editor.sees("def total(items):\n    result = 0\n    return result|")


def test_the_server_is_told_what_became_of_suggestions(edit):
    editor = edit("def add(a, b):\n    |\n", more=STATISTICS, **SUM)
    editor.type("return ")
    editor.sees("def add(a, b):\n    return |«a + b»")
    editor.type("<M-f>")
    editor.sees("def add(a, b):\n    return a|« + b»")
    editor.command("statistics")
    editor.shows(r"\(:shown 1 :accepted 0 :acceptedInPart 1 ")
    editor.type("<BS>a")
    editor.sees("def add(a, b):\n    return a|« + b»")
    editor.type("<Tab>")
    editor.command("statistics")
    editor.shows(r"\(:shown \d :accepted 1 :acceptedInPart \d ")


def test_what_was_dismissed_comes_back_only_when_it_is_asked_for(edit):
    editor = edit("def add(a, b):\n    |", more=STATISTICS, **SUM)
    editor.type("return ")
    editor.sees("def add(a, b):\n    return |«a + b»")
    editor.type("<C-g>")
    editor.sees("def add(a, b):\n    return |")
    editor.type("a")
    editor.command("statistics")
    editor.shows(":shown 1 ")
    editor.sees("def add(a, b):\n    return a|")
    editor.command("fim-ls-suggest")
    editor.sees("def add(a, b):\n    return a|«a + b»")


def test_moving_the_cursor_takes_ghost_text_away_and_brings_none_up(edit):
    editor = edit("def add(a, b):\n    |", **SUM)
    editor.type("return ")
    editor.sees("def add(a, b):\n    return |«a + b»")
    editor.type("<C-b>")
    editor.sees("def add(a, b):\n    return|")
    editor.type("<C-f>")
    editor.sees("def add(a, b):\n    return |")


def test_a_list_of_completions_takes_the_place_of_ghost_text(edit):
    editor = edit("abc = abd = 1\n|", more=COMPLETIONS, text=" = 2")
    editor.type("ab")
    editor.sees("abc = abd = 1\nab|« = 2»")
    editor.type("<M-Tab>")
    editor.shows("(?i)possible completions")
    editor.hides("= 2")


def test_two_files_have_suggestions_of_their_own(edit, machine):
    machine.write("b.py", "# the second\n")
    editor = edit("# the first\n|", text=" = 1", answers={"second": " = 2"})
    editor.type("a")
    editor.sees("# the first\na|« = 1»")
    editor.type("<C-x><C-f><C-a><C-k>~/b.py<CR><C-e><C-n>b")
    editor.sees("# the second\nb|« = 2»")
    editor.type("<C-x>b<CR>")
    editor.sees("# the first\na|")
    editor.type("<BS>b")
    editor.sees("# the first\nb|« = 1»")


def test_a_server_that_died_is_started_again_by_a_command(edit, machine):
    editor = edit("def add(a, b):\n    |", **SUM)
    editor.type("return ")
    editor.sees("def add(a, b):\n    return |«a + b»")
    machine.kill_server()
    editor.shows("fim-ls:stopped")
    editor.command("fim-ls-restart")
    editor.hides("fim-ls:s")
    editor.type("x")
    editor.sees("def add(a, b):\n    return x|« * 2»")


def test_a_suggestion_comes_once_the_model_is_loaded(edit, machine):
    there = machine.home / "there"
    editor = edit("def add(a, b):\n    |", loads_when=str(there), **SUM)
    editor.type("return ")
    editor.shows("fim-ls:loading 50%")
    there.touch()
    editor.sees("def add(a, b):\n    return |«a + b»")


def test_settings_reach_the_server(edit, readme):
    block = "result = 0\n    return result"
    editor = edit("def total(items):\n    x|", more=readme.settings, text=block)
    editor.type("<BS>")
    editor.sees("def total(items):\n    |«result = 0»")


def test_a_program_that_is_not_there_is_named_once(edit):
    missing = '(setq fim-ls-server \'("no-such-program"))\n'
    editor = edit("|", more=missing)
    editor.shows("fim-ls cannot be started: Searching for program")
    editor.hides(r"\(.* fim-ls\)")


def test_it_works_beside_a_server_of_eglot(edit, readme):
    editor = edit("def add(a, b):\n    |", more=readme.eglot, **SUM)
    editor.shows(r"\[eglot:")
    editor.type("return ")
    editor.sees("def add(a, b):\n    return |«a + b»")


@pytest.mark.parametrize(
    ("drawing", "keys", "text"),
    [
        ("def add(a, b):\n    |\n", "ret", "urn a + b"),
        ('x = ["😀",|]\n', " ", "a, b"),
        ("def total()|\r\n", ":", "\n    result = 0\n    return result"),
    ],
    ids=["a word", "an emoji", "a block and carriage returns"],
)
def test_with_eglot_alone_a_suggestion_is_a_completion(edit, readme, drawing, keys, text):
    editor = edit(drawing, setup=readme.eglot, text=text)
    editor.shows(r"\[eglot:")
    editor.type(keys + "<M-Tab>")
    editor.sees(drawing.replace("|", keys + text + "|").replace("\r", "").rstrip())


def test_what_became_of_a_request_is_explained(edit):
    editor = edit("def add(a, b):\n    |", **SUM)
    editor.type("return ")
    editor.sees_ghost_text()
    editor.command("fim-ls-explain")
    editor.shows("Ended with: stop")


def test_a_server_that_runs_already_may_serve(edit, machine, readme):
    machine.echo(**SUM)
    serve = [machine.home / "bin" / "fim-ls", "serve", "--tcp", "0"]
    with subprocess.Popen(serve, env=machine.environment, stderr=subprocess.PIPE, text=True) as server:
        port = re.search(r":(\d+)$", server.stderr.readline())[1]
        editor = edit("def add(a, b):\n    |", more=readme.address.replace("4777", port))
        editor.type("return ")
        editor.sees("def add(a, b):\n    return |«a + b»")
        machine.kill_server()
        editor.shows("fim-ls:stopped")


def test_the_candidates_are_gone_through_forwards_and_back(edit):
    editor = edit("a_number =|", text="one", others=["two", "three"], answers={"three": ""})
    editor.type(" ")
    editor.sees("a_number = |«one»")
    editor.type("<M-n>")
    editor.sees("a_number = |«two»")
    editor.type("<M-n>")
    editor.sees("a_number = |«three»")
    editor.type("<M-n>")
    editor.sees("a_number = |«one»")
    editor.type("<M-p>")
    editor.sees("a_number = |«three»")
    editor.type("<Tab>")
    editor.sees("a_number = three|")


def test_other_suggestions_are_those_that_fit_behind_what_was_typed(emacs, tmp_path):
    script = tmp_path / "script.el"
    script.write_text(CANDIDATES)
    said = in_batch(emacs, tmp_path, "--load", PACKAGE, "--load", script)
    assert said.splitlines()[-1] == "one ten two ten wo "


@pytest.mark.model
def test_the_embedded_model_writes_an_expression(edit, embedded_gguf, pictures):
    editor = edit(RECTANGLE, name="rectangle.py", size=(72, 16))
    editor.type("return ")
    assert "width" in editor.sees_ghost_text()
    editor.picture(pictures / "emacs.svg", "Emacs")
