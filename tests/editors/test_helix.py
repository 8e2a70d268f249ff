"""What the user of a real Helix sees, who has set it up as editors/helix/README.md says."""

import re
import sys

import pytest

pytestmark = pytest.mark.editor

ADD = {"text": "turn a + b\n"}
TOTAL = {"text": "\n    result = 0\n    for item in items:\n        result += item\n    return result\n"}
RECTANGLE = (
    "def area(width, height):\n    return width * height\n\n\ndef perimeter(width, height):\n    return|\n"
)
CONFIG = """\
[editor]
gutters = []
auto-format = false
completion-timeout = 5

[editor.lsp]
display-progress-messages = true
"""
"""What is the user's own; without line numbers."""

OTHER_SERVER = """\
#!{python} -S
import json
import sys

answers = {{
    "initialize": {{"capabilities": {{"completionProvider": {{}}}}}},
    "textDocument/completion": [{{"label": "results"}}, {{"label": "resume"}}],
}}
while header := sys.stdin.buffer.readline():
    sys.stdin.buffer.readline()
    message = json.loads(sys.stdin.buffer.read(int(header.split()[1])))
    if "id" in message:
        answer = {{"jsonrpc": "2.0", "id": message["id"], "result": answers.get(message["method"])}}
        body = json.dumps(answer)
        print(f"Content-Length: {{len(body)}}\\r\\n\\r\\n{{body}}", end="", flush=True)
"""


@pytest.fixture
def helix(launcher, machine, terminal, code_blocks):
    """Open the text of a drawing in a Helix with blocks of the README, and begin to insert at its cursor."""
    program = launcher("hx")

    def helix(drawing, name="a.py", blocks=1, **more):
        machine.write(".config/helix/config.toml", CONFIG)
        machine.write(".config/helix/languages.toml", "\n".join(code_blocks("helix", "toml")[:blocks]))
        before, after = drawing.split("|")
        file = machine.write(name, before + after)
        *above, line = before.split("\n")
        editor = terminal(program, f"{file}:{len(above) + 1}:{len(line) + 1}", chrome=2, **more)
        editor.shows(f" {name} ")
        editor.type("i")
        editor.shows(" INS ")
        return editor

    return helix


@pytest.fixture
def other_server(machine):
    """A second language server, under the name that the README's configuration starts."""
    machine.write("bin/pyright-langserver", OTHER_SERVER.format(python=sys.executable)).chmod(0o755)


def leave_insert_mode(editor):
    """At once with the next key, Esc would be taken for Alt."""
    editor.type("<Esc>")
    editor.shows(" NOR ")


def save(editor, machine, name="a.py"):
    """Leave the editor; returns what it has written."""
    leave_insert_mode(editor)
    editor.type(":wq<CR>")
    assert editor.ends() == 0
    return (machine.home / name).read_bytes().decode()


def test_a_suggestion_is_an_item_of_the_menu(helix, machine):
    machine.echo(**ADD)
    editor = helix("def add(a, b):\n    |\n")
    editor.type("re")
    editor.type_until("<C-x>", r"return a \+ b +snippet")
    editor.type("<Tab>")
    editor.shows(r"(?m)^    return a \+ b")
    assert save(editor, machine) == "def add(a, b):\n    return a + b\n"


def test_of_a_block_the_menu_shows_one_line_and_the_rest_stands_beside_it(helix, machine):
    machine.echo(**TOTAL)
    editor = helix("def total(items)|\n\n\nprint(total([1]))\n")
    editor.type(":")
    editor.type_until("<C-x>", "result = 0 +snippet")
    editor.type("<Tab>")
    editor.shows(r"(?s)return result.*result = 0 +snippet.*return result")
    assert save(editor, machine) == (
        "def total(items):\n    result = 0\n    for item in items:\n        result += item\n"
        "    return result\n\n\nprint(total([1]))\n"
    )


def test_with_the_settings_of_the_readme_there_are_single_lines_only(helix, machine):
    machine.echo(**TOTAL)
    editor = helix("def total(items)|\n\n\nprint(total([1]))\n", blocks=2)
    editor.type(":")
    editor.type_until("<C-x>", "result = 0 +snippet")
    editor.type("<Tab>")
    editor.shows("(?m)^    result = 0$")
    assert save(editor, machine) == "def total(items):\n    result = 0\n\n\nprint(total([1]))\n"


def test_it_comes_by_itself_and_typing_along_narrows_it(helix, machine):
    machine.echo(text="lt = a + b", answers={"result =": " a + b", "result": " = a + b"})
    editor = helix("def add(a, b):\n    |\n")
    editor.type("resu")
    editor.type_until("<C-x>", r"result = a \+ b +snippet")
    editor.type("lt")
    editor.shows(r"(?m)^    result$")
    editor.shows(r"result = a \+ b +snippet")
    editor.type(" =")
    editor.shows(r" a \+ b +snippet")


def test_it_stands_beside_what_another_server_offers(helix, machine, other_server):
    machine.echo(text="sult = a + b", loads_when=str(machine.home / "loaded"))
    editor = helix("def add(a, b):\n    |\n")
    editor.shows("50%")  # now both take part: Helix adds nothing to a menu that is open
    machine.write("loaded", "")
    editor.hides("50%")
    editor.type("re<C-x>")
    editor.shows(r"result = a \+ b +snippet")
    assert "results" in editor.text
    assert "resume" in editor.text


def test_the_menu_goes_and_nothing_of_it_stays(helix, machine):
    machine.echo(**ADD)
    editor = helix("def add(a, b):\n    |\n")
    editor.type("re")
    editor.type_until("<C-x>", r"return a \+ b +snippet")
    editor.type("<C-c>")
    editor.hides("snippet")
    assert save(editor, machine) == "def add(a, b):\n    re\n"


def test_each_of_two_files_gets_its_own(helix, machine):
    machine.echo(text="_one", answers={"second": "_two"})
    machine.write("b.py", "# the second file\n\n")
    editor = helix("# the first file\n|\n")
    editor.type("file")
    editor.type_until("<C-x>", "file_one +snippet")
    editor.type("<C-c>")
    leave_insert_mode(editor)
    editor.type(":open b.py<CR>")
    editor.shows(r" b\.py ")
    editor.type("jifile")
    editor.type_until("<C-x>", "file_two +snippet")


def test_a_file_with_carriage_returns_and_an_emoji_keeps_them(helix, machine):
    machine.echo(**TOTAL)
    editor = helix('party = "🎉🎉"\r\ndef total(items)|\r\n\r\nprint("🎉")\r\n')
    editor.type(":")
    editor.type_until("<C-x>", "result = 0 +snippet")
    editor.type("<Tab>")
    editor.shows(r"(?m)^        result \+= item$")
    assert save(editor, machine) == (
        'party = "🎉🎉"\r\ndef total(items):\r\n    result = 0\r\n    for item in items:\r\n'
        '        result += item\r\n    return result\r\n\r\nprint("🎉")\r\n'
    )


def test_what_stands_before_the_cursor_on_its_line_may_be_any_text(helix, machine):
    machine.echo(text="ult)")
    editor = helix('print("é😀", |)\n')
    editor.type("res")
    editor.type_until("<C-x>", r"result\)? +snippet")
    editor.type("<Tab>")
    editor.shows(r'print\("é😀", *result\)')
    assert save(editor, machine) == 'print("é😀", result)\n'


def test_a_server_that_was_killed_is_started_again(helix, machine):
    machine.echo(**ADD)
    editor = helix("def add(a, b):\n    |\n")
    editor.type("re")
    editor.type_until("<C-x>", r"return a \+ b +snippet")
    machine.kill_server()
    editor.shows("Language server exited")
    editor.type("<C-c>")
    leave_insert_mode(editor)
    editor.type(":set-language python<CR>i")
    editor.type_until("<C-x>", r"return a \+ b +snippet")


def test_when_the_model_is_loaded_the_next_key_gets_a_suggestion(helix, machine):
    machine.echo(text="turn a + b", loads_when=str(machine.home / "loaded"))
    editor = helix("def add(a, b):\n    |\n")
    editor.type("r")
    editor.shows("50%")
    machine.write("loaded", "")
    editor.type("e")
    editor.type_until("<C-x>", r"return a \+ b +snippet")


@pytest.mark.model
def test_the_embedded_model_writes_an_expression(helix, embedded_gguf, pictures):
    editor = helix(RECTANGLE, name="rectangle.py", size=(72, 16))
    editor.type(" ")
    suggestion = editor.type_until("<C-x>", r"(\S.*) +snippet")[1]
    assert "width" in suggestion
    assert "height" in suggestion
    editor.type("<Tab>")
    editor.shows("(?s)fim-ls.*" + re.escape(suggestion.strip()))
    editor.picture(pictures / "helix.svg", title="Helix")
