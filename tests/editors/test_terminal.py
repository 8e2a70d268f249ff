"""What the tests of the editors stand on: a program in a terminal, and a machine of its own."""

import pytest


@pytest.fixture
def shell(terminal):
    """A shell that has said something before it takes orders."""

    def shell(said):
        return terminal("sh", "-c", f"printf '{said}'; PS1='$ ' exec sh -i", chrome=0)

    return shell


def test_ghost_text_is_what_has_the_colour_of_it(shell):
    shell("a\\033[38;2;138;138;138mgh\\033[38;5;245most\\033[mé😀 ").sees("a«ghost»é😀 $ |")


def test_what_terminals_are_asked_and_told_privately_is_no_text(shell):
    shell("\\033[>4;2m\\033[?u\\033]0;title\\007\\033P+q544e\\033\\\\\\033[?2026$p1 ").sees("1 $ |")


def test_the_end_of_a_program_is_noticed(shell):
    program = shell("")
    program.type("exit $((2<lt>3 ? 3 : 4))<CR>")
    assert program.ends() == 3


def test_a_picture_holds_the_text_and_its_colours(shell, tmp_path):
    program = shell("\\033[38;2;138;138;138mghost\\033[m ")
    program.sees("«ghost» $ |")
    program.picture(tmp_path / "shell.svg", title="A shell")
    picture = (tmp_path / "shell.svg").read_text()
    assert ">ghost<" in picture
    assert "#8a8a8a" in picture
    assert "A&#160;shell" in picture
    assert "url(http" not in picture, "fonts are not fetched from elsewhere"


def test_the_command_of_the_machine_is_this_checkout(machine, terminal):
    program = terminal("fim-ls", "serve", "--help", chrome=0)
    program.shows("the language server")
    assert program.ends() == 0
