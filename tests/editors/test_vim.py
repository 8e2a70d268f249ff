"""What the user of a real Vim sees, who has set it up as editors/vim/README.md says."""

import subprocess

import pytest

pytestmark = pytest.mark.editor

ADD = {"text": "return a + b\n", "answers": {"return x": " * 2", "return a + b": ""}}
TOTAL = {"text": "\n    result = 0\n    return result\n", "answers": {"return result": ""}}
RECTANGLE = (
    "def area(width, height):\n    return width * height\n\n\ndef perimeter(width, height):\n    return |\n"
)
VIMRC = """\
set nocompatible noswapfile nomore shortmess+=I laststatus=2 encoding=utf-8
filetype plugin on
syntax off
highlight FimLsGhost ctermfg=245
"""
"""What is the user's own."""

STATISTICS = """\
vim9script
import autoload 'fim_ls/server.vim'
def Statistics()
  server.Execute('fim-ls.status', [], (status) => {
    const told = status.statistics
    server.Say($'{told.shown} shown, {told.accepted} accepted, {told.acceptedInPart} characters in parts')
  })
enddef
inoremap <C-s> <ScriptCmd>Statistics()<CR>
"""


@pytest.fixture
def plugin(machine, code_blocks, checkout):
    """The plugin, installed."""
    for install in code_blocks("vim", "sh"):
        subprocess.run(["sh", "-ec", install], cwd=checkout, env=machine.environment, check=True)


@pytest.fixture
def vim(launcher, plugin, machine, terminal):
    """Open the text of a drawing in a Vim, and begin to insert at its cursor."""
    program = launcher("vim")

    def vim(drawing, name="a.py", vimrc="", **more):
        machine.write(".vimrc", VIMRC + vimrc)
        before, after = drawing.split("|")
        file = machine.write(name, before + after)
        *above, line = before.split("\n")
        cursor = f"call cursor({len(above) + 1}, {len(line.encode()) + 1})"
        editor = terminal(program, "-c", cursor, file, chrome=2, **more)
        editor.shows(f"(?m)^{name} ")
        editor.type("A" if after[:1] in ("", "\r", "\n") else "i")
        return editor

    return vim


def test_tab_inserts_what_is_drawn_at_the_cursor(vim, machine):
    machine.echo(**ADD)
    editor = vim("def add(a, b):\n    |")
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<Tab>")
    editor.sees("def add(a, b):\n    return a + b|")
    editor.type("<Esc>:FimLs<CR>")
    editor.shows("fim-ls: ready, echo, cpu")


def test_a_block_is_drawn_between_the_lines(vim, machine):
    machine.echo(**TOTAL)
    editor = vim("def total(items):|\n\n\nprint(total([1]))\n")
    editor.sees("def total(items):|\n«    result = 0»\n«    return result»\n\n\nprint(total([1]))")
    editor.type("<Tab>")
    editor.sees("def total(items):\n    result = 0\n    return result|\n\n\nprint(total([1]))")


def test_a_word_and_then_a_line_is_taken(vim, machine):
    machine.echo(text="result = 0\n    for item in items:\n        result += item\n")
    editor = vim("def total(items):\n    |")
    editor.sees("def total(items):\n    |«result = 0»\n«    for item in items:»\n«        result += item»")
    editor.type("<M-Right>")
    editor.sees("def total(items):\n    result|« = 0»\n«    for item in items:»\n«        result += item»")
    editor.type("<M-C-Right><M-C-Right>")
    editor.sees("def total(items):\n    result = 0\n    for item in items:|\n«        result += item»")


def test_typing_along_keeps_the_rest_and_typing_something_else_asks_anew(vim, machine):
    machine.echo(**ADD)
    editor = vim("def add(a, b):\n    |")
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("return ")
    editor.sees("def add(a, b):\n    return |«a + b»")
    editor.type("<BS><BS>")
    editor.sees("def add(a, b):\n    retur|«n a + b»")
    editor.type("n x")
    editor.sees("def add(a, b):\n    return x|« * 2»")


def test_keys_that_come_all_at_once_take_what_is_left(vim, machine):
    machine.echo(**ADD)
    editor = vim("def add(a, b):\n    |")
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("ret<Tab>")
    editor.sees("def add(a, b):\n    return a + b|")


def test_what_is_dismissed_does_not_come_back_when_one_types_on(vim, machine):
    machine.echo(**ADD)
    editor = vim("def add(a, b):\n    |")
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<C-]>")
    editor.sees("def add(a, b):\n    |")
    editor.type("r")
    editor.sees("def add(a, b):\n    r|")
    editor.type("eturn x")
    editor.sees("def add(a, b):\n    return x|« * 2»")


def test_leaving_insert_mode_takes_the_ghost_text_away(vim, machine):
    machine.echo(**ADD)
    editor = vim("def add(a, b):\n    |")
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<Esc>")
    editor.sees("def add(a, b):\n   |")


def test_what_is_taken_is_undone_at_once(vim, machine):
    machine.echo(**ADD)
    editor = vim("def add(a, b):\n    |")
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("r<Tab>")
    editor.sees("def add(a, b):\n    return a + b|")
    editor.type("<Esc>u")
    editor.sees("def add(a, b):\n    |r")


def test_the_candidates_are_gone_through_forwards_and_back(vim, machine):
    machine.echo(text="one", others=["two", "three"])
    editor = vim("a_number = |")
    editor.sees("a_number = |«one»")
    editor.type("<M-Down>")
    editor.sees("a_number = |«two»")
    editor.type("<M-Down>")
    editor.sees("a_number = |«three»")
    editor.type("<M-Down>")
    editor.sees("a_number = |«one»")
    editor.type("<M-Up>")
    editor.sees("a_number = |«three»")
    editor.type("<Tab>")
    editor.sees("a_number = three|«one»")


def test_the_server_is_told_what_became_of_suggestions(vim, machine):
    machine.echo(**ADD)
    machine.write(".vim/after/plugin/statistics.vim", STATISTICS)
    editor = vim("def add(a, b):\n    |")
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<M-Right>")
    editor.sees("def add(a, b):\n    return|« a + b»")
    editor.type("<C-s>")
    editor.shows("1 shown, 0 accepted, 6 characters in parts")
    editor.type("<Tab>")
    editor.sees("def add(a, b):\n    return a + b|")
    editor.type("<C-s>")
    editor.shows("1 shown, 1 accepted,")


def test_the_keys_do_what_they_did_where_nothing_is_suggested(vim, machine):
    machine.echo(text="")
    editor = vim("def add(a, b):\n    |", vimrc="set expandtab shiftwidth=4 softtabstop=4\n")
    editor.type("<Tab>x")
    editor.sees("def add(a, b):\n        x|")


def test_a_key_that_the_user_has_mapped_is_left_alone(vim, machine):
    machine.echo(**ADD)
    editor = vim("def add(a, b):\n    |", vimrc="inoremap <Tab> pass\n")
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<Tab>")
    editor.sees("def add(a, b):\n    pass|")


def test_other_keys_and_the_settings_are_those_of_the_readme(vim, machine, code_blocks):
    machine.echo(**TOTAL)
    editor = vim("def total(items):\n    |", vimrc="".join(code_blocks("vim", "vim")))
    editor.sees("def total(items):\n    |«result = 0»")
    editor.type("<C-Right>")
    editor.sees("def total(items):\n    result|« = 0»")
    editor.type("<C-l>")
    editor.sees("def total(items):\n    result = 0|")


def test_nothing_is_drawn_beside_a_popup_menu(vim, machine):
    machine.echo(text="item\n")
    editor = vim("items = 1\nitem = 2\nx = |", vimrc="set completeopt=menuone,noinsert\n")
    editor.sees("items = 1\nitem = 2\nx = |«item»")
    editor.type("i<C-n>")
    editor.shows(r"(?m)^~ +items$")
    assert "«" not in editor.drawing
    editor.type("<C-y>")
    editor.hides(r"(?m)^~ +items$")


def test_a_popup_menu_brings_the_rest_of_the_line_back(vim, machine):
    machine.echo(text="first,\n    second")
    editor = vim("first = 1\nanswer = call(|)")
    editor.sees("first = 1\nanswer = call(|«first,»\n«    second)»")
    editor.type("<C-n>")
    editor.shows(r"(?m)^answer = call\(\w+\)$")
    editor.type("<C-e>")
    editor.sees("first = 1\nanswer = call(|«first,»\n«    second)»")


def test_a_closer_that_stands_there_is_not_doubled(vim, machine):
    machine.echo(text="a, f(b))", answers={"a, f(b)": ""})
    editor = vim('print("é😀", |)')
    editor.sees('print("é😀", |«a, f(b)»)')
    editor.type("<Tab>")
    editor.sees('print("é😀", a, f(b))|')


def test_the_rest_of_the_line_is_drawn_where_it_will_stand(vim, machine):
    machine.echo(text="\n    1,\n    2,\n]", answers={"2,\n": ""})
    editor = vim("numbers = set([|])")
    editor.sees("numbers = set([|\n«    1,»\n«    2,»\n«])»")
    editor.type("<Tab>")
    editor.sees("numbers = set([\n    1,\n    2,\n]|)")


def test_behind_a_first_line_the_rest_of_the_line_goes_to_the_last_one_and_comes_back(vim, machine):
    machine.echo(text="first,\n    second")
    editor = vim("answer = call(|)")
    editor.sees("answer = call(|«first,»\n«    second)»")
    editor.type("f")
    editor.sees("answer = call(f|«irst,»\n«    second)»")
    editor.type("<C-]>")
    editor.sees("answer = call(f|)")


def test_a_file_with_carriage_returns_and_an_emoji_keeps_them(vim, machine):
    machine.echo(**TOTAL)
    editor = vim('party = "🎉"\r\ndef total(items):|\r\n\r\nprint()\r\n')
    editor.sees('party = "🎉"\ndef total(items):|\n«    result = 0»\n«    return result»\n\nprint()')
    editor.type("<Tab>")
    editor.sees('party = "🎉"\ndef total(items):\n    result = 0\n    return result|\n\nprint()')
    editor.type("<Esc>:wq<CR>")
    assert editor.ends() == 0
    written = (machine.home / "a.py").read_bytes().decode()
    assert written == (
        'party = "🎉"\r\ndef total(items):\r\n    result = 0\r\n    return result\r\n\r\nprint()\r\n'
    )


def test_text_drawn_in_a_line_has_blanks_for_its_tabs(vim, machine):
    machine.echo(text="1\t// one")
    editor = vim("package main\n\nvar x = |", name="a.go")
    editor.sees("package main\n\nvar x = |«1       // one»")


def test_each_of_two_files_gets_its_own(vim, machine):
    machine.echo(text="1", answers={"second": "2"})
    machine.write("b.py", "the_second = ")
    editor = vim("the_first = |", vimrc="set hidden\n")
    editor.sees("the_first = |«1»")
    editor.type("<Esc>:edit b.py<CR>A")
    editor.sees("the_second = |«2»")
    editor.type("<Tab><Esc>:edit a.py<CR>A")
    editor.sees("the_first = |«1»")


def test_a_server_that_was_killed_is_started_again(vim, machine):
    machine.echo(**ADD)
    editor = vim("def add(a, b):\n    |")
    editor.sees("def add(a, b):\n    |«return a + b»")
    machine.kill_server()
    editor.shows("the server has ended")
    editor.sees("def add(a, b):\n    |")
    editor.type("<Esc>:FimLs restart<CR>A")
    editor.sees("def add(a, b):\n    |«return a + b»")


def test_without_the_command_one_sentence_says_so_and_typing_goes_on(vim, machine):
    editor = vim("def add(a, b):\n    |", vimrc="let g:fim_ls_command = ['not-there']\n")
    editor.shows("fim-ls: there is no command not-there")
    editor.type("return<Tab>a")
    editor.sees("def add(a, b):\n    return  a|")


def test_text_typed_while_the_model_loads_gets_its_suggestion_then(vim, machine):
    machine.echo(text="eturn a + b", loads_when=str(machine.home / "loaded"))
    editor = vim("def add(a, b):\n    |", vimrc="set statusline=%f\\ %{fim_ls#Status()}\n")
    editor.shows("fim-ls: loading")
    editor.type("r")
    machine.write("loaded", "")
    editor.sees("def add(a, b):\n    r|«eturn a + b»")
    editor.hides("fim-ls: loading")


def test_suggestions_are_switched_off_and_on(vim, machine):
    machine.echo(**ADD)
    editor = vim("def add(a, b):\n    |")
    editor.sees("def add(a, b):\n    |«return a + b»")
    editor.type("<Esc>:FimLs toggle<CR>")
    editor.shows("fim-ls: suggestions are off")
    editor.type(":FimLs toggle<CR>")
    editor.shows("fim-ls: suggestions are on")
    editor.type("A")
    editor.sees("def add(a, b):\n    |«return a + b»")


@pytest.mark.model
def test_the_embedded_model_writes_an_expression(vim, embedded_gguf, pictures):
    editor = vim(RECTANGLE, name="rectangle.py", size=(72, 12), vimrc="set number\n")
    ghost_text = editor.sees_ghost_text()
    assert "width" in ghost_text
    assert "height" in ghost_text
    editor.picture(pictures / "vim.svg", title="Vim")
