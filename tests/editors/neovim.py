"""A real Neovim, and a user who types and looks at its screen.

A screen is drawn as its text, with ``|`` for the cursor and ``«…»`` around ghost text.
"""

import re
from contextlib import closing, suppress

import pynvim
import pytest

PATIENCE_S = 60
GHOST_STYLES = ("FimLsGhost", "ComplHint")
"""Highlight groups of our plugin and of Neovim 0.12."""
ASKED = "textDocument/inlineCompletion pending"

LISTEN = """
local channel = ...
-- What a server can do is taken up by what Neovim schedules right behind this event.
vim.api.nvim_create_autocmd('LspAttach', {
  callback = function()
    vim.schedule(function()
      vim.schedule(function() vim.rpcnotify(channel, 'attached') end)
    end)
  end,
})
vim.api.nvim_create_autocmd('LspRequest', {
  callback = function(event)
    local request = event.data.request
    vim.rpcnotify(channel, request.method .. ' ' .. request.type)
  end,
})
vim.api.nvim_create_autocmd('LspNotify', {
  callback = function(event) vim.rpcnotify(channel, event.data.method) end,
})
"""
STYLES = "".join(f"vim.api.nvim_set_hl(0, '{style}', {{ italic = true }})\n" for style in GHOST_STYLES)
"""A group that is only a link to another one cannot be told from it on the screen."""
NO_PROVIDERS = "vim.g.loaded_python3_provider = 0\n"
"""Else Neovim looks through all Pythons of the machine whenever it opens a Python file."""


class Screen:
    """The screen of a Neovim, kept in step with it by the redraw events for attached UIs.

    Attributes:
        drawings: all that there was to see so far, the last one being what is to see now.
        status_line: the lowest row.
        messages: what was said.
    """

    def __init__(self):
        self.drawings = [""]
        self.status_line = ""
        self.messages = []
        self._rows = []
        self._cursor = (0, 0)
        self._ghost_styles = set()

    @property
    def drawing(self):
        return self.drawings[-1]

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
            case "msg_show", [kind, chunks, *_]:
                self._hear(kind, "".join(text for _, text, *_ in chunks))
            case "flush", _:
                self._look()

    def _hear(self, kind, message):
        if kind in ("emsg", "echoerr", "lua_error", "rpc_error"):
            pytest.fail(message)
        self.messages.append(message)

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

    def _look(self):
        """All but the status line, without the empty end."""
        *rows, self.status_line = (self._draw_row(number) for number in range(len(self._rows)))
        while rows and rows[-1] in ("", "~"):
            rows.pop()
        self.drawings.append("\n".join(rows))

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
    """A user at a Neovim.

    Args:
        command: the program that starts it.
        environment: all of its environment.
        folder: where files are edited.
    """

    def __init__(self, command, environment, folder):
        variables = [f"{name}={value}" for name, value in environment.items()]
        self.nvim = pynvim.attach("child", argv=["env", "-i", *variables, str(command), "--embed"])
        self.screen = Screen()
        self.has_quit = False
        self._folder = folder
        self._heard = []
        self.nvim.ui_attach(80, 24, rgb=True, ext_linegrid=True, ext_hlstate=True, ext_messages=True)
        self.nvim.exec_lua(LISTEN, self.nvim.channel_id)

    @property
    def text(self):
        return "\n".join(self.nvim.current.buffer[:])

    def edit(self, drawing, name="a.py", *, at_once=False):
        """Open a file with the text of a drawing, and begin to insert at its cursor.

        Args:
            drawing: the text, with the cursor in it.
            name: of the file.
            at_once: do not wait for the server.
        """
        before, after = drawing.split("|")
        path = self._folder / name
        path.write_bytes((before + after).encode())
        self.nvim.command(f"edit {path}")
        if not at_once:
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

    def sees_somewhere(self, pattern):
        """Wait until something on the screen, the status line too, matches."""
        self._follow(lambda: re.search(pattern, f"{self.screen.drawing}\n{self.screen.status_line}"), pattern)

    def is_told(self, pattern):
        """Wait for a message that was not waited for before."""
        self._follow(lambda: any(re.search(pattern, message) for message in self.screen.messages), pattern)
        self.screen.messages.clear()

    def hears(self, event):
        """Wait for an event of Neovim's client that was not waited for before."""
        self._follow(lambda: event in self._heard, event)
        self._heard.remove(event)

    def heard(self, event):
        """How often there was an event so far."""
        return self._heard.count(event)

    def quit(self):
        """Leave by keys: a prompt that waits for one would hold up any other request."""
        self.has_quit = True
        self.type("<Esc><Esc>:qall!<CR>")
        with closing(self.nvim), suppress(EOFError):
            self._follow(lambda: False, "the end")

    def _follow(self, is_there, wanted):
        """Take in what Neovim sends until something is there, or it has been long enough."""
        alarm = self.nvim.loop.call_later(PATIENCE_S, self.nvim.stop_loop)
        while not is_there():
            if (message := self.nvim.next_message()) is None:
                said = "\n".join(self.screen.messages)
                pytest.fail(f"waited in vain for\n{wanted}\nand saw\n{self.screen.drawing}\n\n{said}")
            _, name, arguments = message
            if name == "redraw":
                self.screen.redraw(arguments)
            else:
                self._heard.append(name)
        alarm.cancel()
