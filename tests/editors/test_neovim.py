"""What the user of a real Neovim sees, once with its own ghost text and once with that of our plugin."""

import re
import subprocess
from pathlib import Path

import pytest

from .neovim import ASKED, GHOST_STYLES, NO_PROVIDERS, STYLES, Editor
from .terminal import GHOST_COLOUR

ROOT = Path(__file__).parents[2]
SETUP, KEYS, STATUS_LINE, OURS, WITHOUT_PLUGIN, SINGLE_LINES, SHARED = range(7)
"""The blocks of Lua in the README."""

pytestmark = [
    pytest.mark.editor,
    # pynvim needs it up to Python 3.13; from 3.14 on it does without.
    pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning"),
]

drawn_by_us = pytest.mark.parametrize("neovim", ["0.11", "0.12 drawn by us"], indirect=True)
drawn_by_neovim = pytest.mark.parametrize("neovim", ["0.12"], indirect=True)

ADD = {"text": "return a + b\n", "answers": {"return x": " * 2", "return a + b": ""}}
TOTAL = {"text": "\n    result = 0\n    return result\n", "answers": {"return result": ""}}

COLOURS = "".join(
    f"vim.api.nvim_set_hl(0, '{style}', {{ fg = '#{GHOST_COLOUR}' }})\n" for style in GHOST_STYLES
)
SHAPES = '''"""Measures of shapes."""


def perimeter(width, height):
    return 2 * (width + height)


def area(width, height):
    return\x20
'''


@pytest.fixture(params=["0.11", "0.12", "0.12 drawn by us"])
def neovim(request, launcher):
    """The program to drive, and which block of the README sets it up."""
    version, _, ours = request.param.partition(" ")
    return launcher(f"nvim-{version}"), OURS if ours else SETUP


@pytest.fixture
def readme(code_blocks):
    """What the README has its reader paste."""
    return code_blocks("neovim", "lua")


@pytest.fixture
def plugin(machine, code_blocks):
    """The plugin, installed as the README says."""
    for commands in code_blocks("neovim", "sh"):
        subprocess.run(["sh", "-e", "-c", commands], cwd=ROOT, env=machine.environment, check=True)


@pytest.fixture
def start(neovim, plugin, machine, readme):
    """Start a Neovim that is set up as the README says, and more."""
    editors = []

    def start(*blocks, before="", after="", **echo):
        if echo:
            machine.echo(**echo)
        chosen = [readme[block] for block in blocks or (neovim[1],)]
        machine.write(".config/nvim/init.lua", "".join([NO_PROVIDERS, STYLES, before, *chosen, after]))
        editors.append(Editor(neovim[0], machine.environment, machine.home))
        return editors[-1]

    yield start
    for editor in editors:
        if not editor.has_quit:
            editor.quit()


@pytest.fixture
def edit(start):
    """Open the text of a drawing in a Neovim that is set up as the README says."""

    def edit(drawing, *blocks, name="a.py", before="", after="", **echo):
        editor = start(*blocks, before=before, after=after, **echo)
        editor.edit(drawing, name)
        return editor

    return edit


# -- taking it


def test_tab_inserts_what_is_drawn_at_the_cursor(edit):
    editor = edit("def add(a, b):\n    |", **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    assert editor.text == "def add(a, b):\n    "
    editor.type("<Tab>")
    editor.sees("def add(a, b):\n    return a + b|")
    assert editor.text == "def add(a, b):\n    return a + b"
    editor.hears("workspace/executeCommand complete")


def test_a_block_is_drawn_between_the_lines(edit):
    editor = edit("def total(items):|\n\n\nprint(total([1]))", **TOTAL)
    editor.sees("def total(items):|\n«    result = 0»\n«    return result»\n\n\nprint(total([1]))")
    editor.type("<Tab>")
    editor.sees("def total(items):\n    result = 0\n    return result|\n\n\nprint(total([1]))")


def test_a_file_with_carriage_returns_and_emoji_keeps_them(edit):
    editor = edit("# 😀 é\r\ndef total(items):|\r\n\r\nprint('😀')\r\n", **TOTAL)
    editor.sees("# 😀 é\ndef total(items):|\n«    result = 0»\n«    return result»\n\nprint('😀')")
    editor.type("<Tab>")
    editor.sees("# 😀 é\ndef total(items):\n    result = 0\n    return result|\n\nprint('😀')")
    assert "\r" not in editor.text


def test_a_closer_that_stands_there_is_not_doubled(edit):
    editor = edit('print("é😀", |)', text="a, b)", answers={"a, b": ""})
    assert editor.sees_ghost_text() in ("a, b", "a, b)")  # Neovim 0.12 draws over the old one
    editor.type("<Tab>")
    editor.sees('print("é😀", a, b)|')


def test_a_word_is_taken_and_the_rest_stays(edit):
    editor = edit("def add(a, b):\n    |", **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<M-Right>")
    editor.sees("def add(a, b):\n    return|« a + b»")
    editor.type("<M-Right>")
    editor.sees("def add(a, b):\n    return a|« + b»")
    editor.hears("textDocument/didPartiallyAcceptCompletion")
    editor.type("<Tab>")
    editor.sees("def add(a, b):\n    return a + b|")


@pytest.mark.parametrize("neovim", ["0.11"], indirect=True)
def test_a_word_has_the_blanks_before_it_and_signs_are_one(start):
    word = "return require('fim_ls.parts').word(...)"
    texts = ["return a", " += 1", "\n    x = 1", "(é😀)", "größe)", "  "]
    editor = start()
    words = [editor.nvim.exec_lua(word, text) for text in texts]
    assert words == ["return", " +=", "\n    x", "(", "größe", "  "]


def test_a_line_is_taken_and_the_rest_stays(edit):
    editor = edit("def total(items):|", **TOTAL)
    editor.sees("def total(items):|\n«    result = 0»\n«    return result»")
    editor.type("<M-C-Right>")
    editor.sees("def total(items):\n    result = 0|\n«    return result»")
    editor.type("<M-C-Right>")
    editor.sees("def total(items):\n    result = 0\n    return result|")


def test_what_is_taken_can_be_undone_by_itself(edit):
    editor = edit("def add(a, b):\n    |", **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("ret")
    editor.sees("def add(a, b):\n    ret|«urn a + b»")
    editor.type("<Tab>")
    editor.sees("def add(a, b):\n    return a + b|")
    editor.type("<Esc>u")
    editor.sees("def add(a, b):\n    re|t")


def test_tab_without_ghost_text_is_a_tab(edit):
    editor = edit("def add(a, b):\n    |", text="")
    editor.hears("textDocument/inlineCompletion complete")
    editor.type("<Tab>")
    editor.sees("def add(a, b):\n        |")


def test_tab_behind_what_does_not_fit_the_ghost_text_is_a_tab(edit):
    editor = edit("def add(a, b):\n    |", text="return a + b", answers={"    x": ""})
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("x<Tab>")
    editor.sees("def add(a, b):\n    x   |")


def test_tab_without_ghost_text_does_what_it_was_mapped_to(edit):
    editor = edit("|", before="vim.keymap.set('i', '<Tab>', 'mapped')\n", text="")
    editor.hears("textDocument/inlineCompletion complete")
    editor.type("<Tab>")
    editor.sees("mapped|")


@pytest.mark.parametrize("neovim", ["0.11", "0.12"], indirect=True)
def test_keys_of_ones_own_take_the_place_of_the_usual_ones(edit):
    editor = edit("def add(a, b):\n    |", KEYS, **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<C-l>")
    editor.sees("def add(a, b):\n    return a + b|")


# -- typing


def test_typing_along_keeps_the_rest_and_typing_something_else_asks_anew(edit):
    editor = edit("def add(a, b):\n    |", **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("return ")
    editor.sees("def add(a, b):\n    return |«a + b»")
    editor.type("x")
    editor.sees("def add(a, b):\n    return x|« * 2»")


@drawn_by_us
def test_typing_along_asks_for_nothing_and_never_flickers(edit):
    editor = edit("def add(a, b):\n    |", **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    seen = len(editor.screen.drawings)
    editor.type("r")
    editor.sees("def add(a, b):\n    r|«eturn a + b»")
    editor.type("e")
    editor.sees("def add(a, b):\n    re|«turn a + b»")
    drawings = set(editor.screen.drawings[seen:])
    assert drawings <= {
        "def add(a, b):\n    |«return a + b»",
        "def add(a, b):\n    r|«eturn a + b»",
        "def add(a, b):\n    re|«turn a + b»",
    }
    assert editor.heard(ASKED) == 1


@drawn_by_us
def test_a_new_line_is_typed_along_too(edit):
    editor = edit("def total(items):|", name="a.txt", **TOTAL)
    editor.sees("def total(items):|\n«    result = 0»\n«    return result»")
    editor.type("<CR>    res")
    editor.sees("def total(items):\n    res|«ult = 0»\n«    return result»")
    editor.type("<BS>")
    editor.sees("def total(items):\n    re|«sult = 0»\n«    return result»")
    assert editor.heard(ASKED) == 1


def test_keys_that_come_all_at_once_take_what_is_left_of_the_ghost_text(edit):
    editor = edit("def add(a, b):\n    |", **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("ret<Tab>")
    editor.sees("def add(a, b):\n    return a + b|")


def test_leaving_insert_mode_takes_the_ghost_text_away(edit):
    editor = edit("def add(a, b):\n    |", **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<Esc>")
    editor.sees("def add(a, b):\n   |")


def test_where_nothing_more_is_suggested_the_ghost_text_goes(edit):
    editor = edit("def add(a, b):\n    |", text="return a + b", answers={"return x": ""})
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("return x")
    editor.sees("def add(a, b):\n    return x|")


@drawn_by_us
def test_asking_anew_cancels_the_request_that_has_no_answer_yet(edit):
    editor = edit("def add(a, b):\n    |", **ADD, delay_ms=5000)
    editor.hears(ASKED)
    editor.type("r")
    editor.hears("textDocument/inlineCompletion cancel")
    editor.hears(ASKED)


def test_two_files_have_suggestions_of_their_own(edit):
    editor = edit("the_one = |", text="first()", answers={"other": "second()"})
    editor.sees("the_one = |«first()»")
    editor.type("<Esc>")
    editor.edit("the_other = |", "b.py")
    editor.sees("the_other = |«second()»")
    editor.type("<Esc>:edit #<CR>A")
    editor.sees("the_one = |«first()»")


@drawn_by_us
def test_one_who_types_before_the_server_is_there_gets_the_suggestion_later(start):
    editor = start(**ADD)
    editor.edit("def add(a, b):\n    |", at_once=True)
    editor.sees("def add(a, b):\n    |«return a + b»")


# -- drawing


@drawn_by_us
def test_the_rest_of_the_line_is_drawn_where_it_will_stand(edit):
    editor = edit("numbers = set([|])", text="\n    1,\n    2,\n]", answers={"2,\n": ""})
    editor.sees("numbers = set([|\n«    1,»\n«    2,»\n«]»)")
    editor.type("<Tab>")
    editor.sees("numbers = set([\n    1,\n    2,\n]|)")


@drawn_by_us
def test_text_drawn_in_a_line_has_blanks_for_its_tabs(edit):
    editor = edit("package main\n\nvar x = |", name="a.go", text="1\t// one")
    editor.sees("package main\n\nvar x = |«1       // one»")


@drawn_by_us
def test_an_open_popup_menu_has_the_screen_for_itself(edit):
    editor = edit("result = retry\nre|", text="turn 0")
    editor.sees("result = retry\nre|«turn 0»")
    editor.type("<C-n>")
    editor.sees("result = retry\nresult|\nresult\nretry")
    editor.type("<C-e>")
    editor.sees("result = retry\nre|«turn 0»")


def test_tab_does_not_take_ghost_text_behind_a_popup_menu(edit):
    editor = edit("result = retry\nre|", text="turn 0")
    editor.sees("result = retry\nre|«turn 0»")
    editor.type("<C-n><Tab>")
    editor.sees_somewhere(r"result  +\|")


# -- candidates, and what was dismissed

CHOICE = """
vim.lsp.config('fim_ls', {
  cmd = function(dispatchers)
    local is_closing = false
    local answers = {
      initialize = function()
        return { capabilities = { inlineCompletionProvider = true } }
      end,
      ['textDocument/inlineCompletion'] = function(params)
        local range = { start = params.position, ['end'] = params.position }
        local items = {}
        for _, text in ipairs(params.context.triggerKind == 1 and { 'one', 'two', 'three' } or { 'one' }) do
          table.insert(items, { insertText = text, range = range })
        end
        return { items = items }
      end,
    }
    return {
      request = function(method, params, callback)
        callback(nil, answers[method] and answers[method](params) or vim.NIL)
        return true, 1
      end,
      notify = function(method)
        if method == 'exit' then
          dispatchers.on_exit(0, 0)
        end
        return true
      end,
      is_closing = function() return is_closing end,
      terminate = function() is_closing = true end,
    }
  end,
})
"""
"""A server that has three candidates for who asks by a key, and one for who types."""


@drawn_by_us
def test_all_candidates_can_be_looked_through(edit):
    editor = edit("x = |", after=CHOICE)
    editor.sees("x = |«one»")
    editor.type("<M-]>")
    editor.sees("x = |«two»")
    editor.type("<M-]>")
    editor.sees("x = |«three»")
    editor.type("<M-]>")
    editor.sees("x = |«one»")
    editor.type("<M-[>")
    editor.sees("x = |«three»")
    editor.type("<Tab>")
    editor.sees("x = three|«one»")


def test_what_was_dismissed_is_gone(edit):
    editor = edit("def add(a, b):\n    |", **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<C-]>")
    editor.sees("def add(a, b):\n    |")


@drawn_by_us
def test_what_was_dismissed_comes_back_when_it_is_asked_for(edit):
    editor = edit("def add(a, b):\n    |", text="return a + b", answers={"ret": "urn a + b"})
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<C-]>")
    editor.sees("def add(a, b):\n    |")
    editor.hears("textDocument/inlineCompletion complete")
    editor.type("ret")
    editor.hears("textDocument/inlineCompletion complete")
    editor.sees("def add(a, b):\n    ret|")
    editor.type("<M-Bslash>")
    editor.sees("def add(a, b):\n    ret|«urn a + b»")


# -- the server


def test_a_server_that_was_killed_is_started_again(edit, machine):
    editor = edit("def add(a, b):\n    |", **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    machine.kill_server()
    editor.is_told("fim_ls quit")
    editor.type("<Esc>:FimLs restart<CR>")
    editor.hears("attached")
    editor.type("A")
    editor.sees("def add(a, b):\n    |«return a + b»")


def test_while_the_model_is_loaded_the_status_line_says_so(edit, neovim, machine):
    gate = machine.home / "gate"
    editor = edit("def add(a, b):\n    |", neovim[1], STATUS_LINE, **ADD, loads_when=str(gate))
    editor.sees_somewhere("fim-ls: loading 50%")
    gate.touch()
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.sees_somewhere("fim-ls: echo on cpu")


def test_suggestions_are_switched_off_and_on(edit):
    editor = edit("def add(a, b):\n    |", **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<Esc>:FimLs toggle<CR>")
    editor.is_told("suggestions are off")
    editor.type(":FimLs toggle<CR>")
    editor.is_told("suggestions are on")
    editor.type("A")
    editor.sees("def add(a, b):\n    |«return a + b»")


def test_the_last_suggestion_is_explained(edit):
    editor = edit("def add(a, b):\n    |", **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<Esc>:FimLs explain<CR>")
    editor.sees_somewhere('The model ended with "stop"')
    editor.sees_somewhere("trigger +block")
    assert "Nothing" not in editor.screen.drawing


def test_a_missing_suggestion_is_explained(edit):
    editor = edit("def add(a, b):\n    |", text="")
    editor.hears("textDocument/inlineCompletion complete")
    editor.type("<Esc>:FimLs explain<CR>")
    editor.sees_somewhere('Nothing is shown because of "')


def test_the_status_counts_what_was_taken(edit):
    editor = edit("def add(a, b):\n    |", **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<M-Right>")
    editor.sees("def add(a, b):\n    return|« a + b»")
    editor.type("<Tab>")
    editor.hears("workspace/executeCommand complete")
    editor.type("<Esc>:FimLs<CR>")
    editor.is_told("(?s)fim-ls: echo on cpu.*accepted 1,.*6 characters in parts")


def test_a_command_that_there_is_not_names_those_that_there_are(edit):
    editor = edit("|", text="")
    editor.type("<Esc>:FimLs dance<CR>")
    editor.is_told("there is no dance; there are explain, health, log, restart, status, suggest, toggle")


def test_the_log_is_opened(edit):
    editor = edit("|", text="")
    editor.type("<Esc>:FimLs log<CR>")
    editor.sees_somewhere("lsp.log")


def test_the_health_check_finds_nothing_wrong(edit):
    editor = edit("def add(a, b):\n    |", **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<Esc>:FimLs health<CR>")
    editor.sees_somewhere("accept word")
    assert "ERROR" not in editor.text
    assert "WARNING" not in editor.text


def test_there_is_a_page_of_help(edit):
    editor = edit("|", text="")
    editor.type("<Esc>:helptags ALL | help fim-ls<CR>")
    editor.sees_somewhere(r"\*fim-ls\.txt\*|fim-ls.txt")


def test_the_settings_of_the_readme_reach_the_server(edit, neovim):
    editor = edit("def total(items):\n    |", neovim[1], SINGLE_LINES, **TOTAL)
    editor.sees("def total(items):\n    |«result = 0»")


@drawn_by_neovim
def test_neovim_needs_no_plugin_from_0_12_on(edit, machine):
    editor = edit("def add(a, b):\n    |", WITHOUT_PLUGIN, before="vim.opt.loadplugins = false\n", **ADD)
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<Tab>")
    editor.sees("def add(a, b):\n    return a + b|")


@pytest.fixture
def shared(machine, readme):
    """What has a Neovim use a server that runs already, which is started here."""
    serve = [machine.home / "bin" / "fim-ls", "serve", "--tcp", "0"]
    machine.echo(answers={"def add": "return a + b", "def greet": "return name"})
    with subprocess.Popen(serve, env=machine.environment, stderr=subprocess.PIPE, text=True) as server:
        port = re.search(r":(\d+)$", server.stderr.readline())[1]
        yield readme[SHARED].replace("4777", port)
        server.terminate()


def test_two_share_a_server_with_one_model_and_one_may_leave(shared, start, machine):
    one, other = start(after=shared), start(after=shared)
    one.edit("def add(a, b):\n    |", "add.py")
    other.edit("def greet(name):\n    |", "greet.py")
    one.sees("def add(a, b):\n    |«return a + b»")
    other.sees("def greet(name):\n    |«return name»")
    one.quit()
    other.type("<Tab>")
    other.sees("def greet(name):\n    return name|")
    other.type("<Esc>o")
    other.sees_ghost_text()
    assert len((machine.home / "run" / "servers").read_text().split()) == 1


@pytest.mark.model
@pytest.mark.usefixtures("plugin", "embedded_gguf")
@pytest.mark.parametrize("neovim", ["0.11", "0.12"], indirect=True)
def test_the_embedded_model_writes_an_expression(neovim, machine, readme, terminal, pictures):
    configuration = [NO_PROVIDERS, COLOURS, readme[neovim[1]], readme[STATUS_LINE]]
    machine.write(".config/nvim/init.lua", "".join(configuration))
    machine.write("shapes.py", SHAPES)
    screen = terminal(neovim[0], "+call cursor(9, 99)", "shapes.py", chrome=2)
    screen.shows("fim-ls: .* on cpu")
    screen.type("A")
    assert "width" in screen.sees_ghost_text()
    screen.picture(pictures / f"{neovim[0].name}.svg", f"Neovim {neovim[0].name.removeprefix('nvim-')}")
    screen.type("<Tab>")
    screen.shows(r"return .*width.*\n~")
    screen.type("<Esc>:qall!<CR>")
    screen.ends()
