"""A program in a terminal, and a user who types and looks at the screen.

A screen is drawn as its text, with ``|`` for the cursor and ``«…»`` around ghost text. Ghost text is what has
the colour GHOST_COLOUR, which a test gives to it in the editor's own configuration.
"""

from __future__ import annotations

import codecs
import fcntl
import io
import itertools
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pyte
import pytest
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.style import Style
from rich.text import Text

GHOST_COLOUR = "8a8a8a"
PATIENCE_S = 60
FAREWELL_S = 10
REPEAT_S = 5
READ_AT_MOST = 1 << 16

KEYS = {
    "CR": "\r",
    "Esc": "\x1b",
    "Tab": "\t",
    "S-Tab": "\x1b[Z",
    "BS": "\x7f",
    "Space": " ",
    "lt": "<",
    "Up": "\x1b[A",
    "Down": "\x1b[B",
    "Right": "\x1b[C",
    "Left": "\x1b[D",
    "End": "\x1b[F",
    "Home": "\x1b[H",
    "C-Up": "\x1b[1;5A",
    "C-Down": "\x1b[1;5B",
    "C-Right": "\x1b[1;5C",
    "C-Left": "\x1b[1;5D",
    "M-Right": "\x1b[1;3C",
    "M-Left": "\x1b[1;3D",
    "M-Up": "\x1b[1;3A",
    "M-Down": "\x1b[1;3B",
    "M-C-Right": "\x1b[1;7C",
    "C-Space": "\0",
}
NAMED_KEY = re.compile(r"<([^<>\s]+)>")
# What pyte would take for something else: private sequences, but for modes, and strings up to ST or BEL.
NOT_FOR_PYTE = re.compile(
    r"\x1b\[(?:[>=<][\d;]*[ -/]*[@-~]|\?[\d;]*[ -/]*[@-gi-km-~])"
    r"|\x1b[PX^_k].*?\x1b\\|\x1b\].*?(?:\x1b\\|\x07)",
    re.DOTALL,
)
UNFINISHED = re.compile(r"\x1b(?:\[[\d;?>=<]*[ -/]*|[PX^_k\]].*)?\Z", re.DOTALL)
PICTURE = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""A picture without fonts from elsewhere; the machine's own monospaced one does."""


class Screen(pyte.Screen):
    """A screen that answers what programs ask their terminal."""

    def __init__(self, columns: int, rows: int, answer: Callable[[str], None]) -> None:
        super().__init__(columns, rows)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        """Pass an answer on, as if it were typed."""
        self._answer(data)


class Terminal:
    """A program in a pseudo-terminal.

    Args:
        command: the program and its arguments.
        environment: all of its environment.
        folder: where it is started.
        chrome: how many rows at the bottom a drawing leaves out, such as a status line.
        ghost: the colour of ghost text, six hexadecimal digits.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        folder: Path,
        *,
        chrome: int = 1,
        size: tuple[int, int] = (80, 24),
        ghost: str = GHOST_COLOUR,
    ) -> None:
        columns, rows = size
        self._chrome, self._ghost = chrome, ghost
        self._screen = Screen(columns, rows, self._write)
        self._stream = pyte.Stream(self._screen)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env={**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )
        os.close(theirs)

    @property
    def drawing(self) -> str:
        """What is on the screen now, without its empty end."""
        lines = [self._draw_row(row) for row in range(self._screen.lines - self._chrome)]
        while lines and lines[-1] in ("", "~"):
            lines.pop()
        return "\n".join(lines)

    @property
    def text(self) -> str:
        """All that is on the screen now, the chrome too, without marks."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def type(self, keys: str) -> None:
        """Press keys; one that is no character is spelled like ``<Tab>``, ``<C-n>`` or ``<M-f>``."""
        self._write(NAMED_KEY.sub(lambda named: _key(named[1]), keys))

    def type_until(self, keys: str, pattern: str) -> re.Match[str]:
        """Press keys, and again every few seconds, until something on the screen matches; returns it."""
        deadline = time.monotonic() + PATIENCE_S
        while not re.search(pattern, self.text) and time.monotonic() < deadline:
            self.type(keys)
            again = time.monotonic() + REPEAT_S
            while not re.search(pattern, self.text) and (left := again - time.monotonic()) > 0:
                if not self._take_in(left):
                    break
        return self.shows(pattern)

    def sees(self, drawing: str) -> None:
        """Wait until the screen shows this."""
        self._follow(lambda: self.drawing == drawing, drawing)

    def sees_ghost_text(self) -> str:
        """Wait until the screen shows any; returns it."""
        self._follow(lambda: "«" in self.drawing, "ghost text")
        return "\n".join(re.findall("«(.*?)»", self.drawing.replace("|", "")))

    def shows(self, pattern: str) -> re.Match[str]:
        """Wait until something on the screen, the chrome too, matches; returns what does."""
        self._follow(lambda: re.search(pattern, self.text) is not None, pattern)
        found = re.search(pattern, self.text)
        assert found
        return found

    def hides(self, pattern: str) -> None:
        """Wait until nothing on the screen, the chrome too, matches."""
        self._follow(lambda: re.search(pattern, self.text) is None, f"nothing like {pattern}")

    def ends(self) -> int:
        """Wait until the program has ended; returns its exit code."""
        self._follow(lambda: self._process.poll() is not None, "the end")
        return self._process.returncode

    def close(self) -> None:
        """Take the terminal away, and the program with it."""
        os.close(self._own)
        try:
            self._process.wait(FAREWELL_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def picture(self, path: Path, title: str = "") -> None:
        """Write the screen as an SVG image."""
        console = Console(record=True, width=self._screen.columns, file=io.StringIO())
        for row in range(self._screen.lines):
            console.print(self._styled_row(row), no_wrap=True, end="\n", crop=True)
        path.write_text(console.export_svg(title=title, unique_id="fim-ls", code_format=PICTURE))

    def _draw_row(self, row: int) -> str:
        drawn, was_ghost = "", False
        for column in range(self._screen.columns):
            cell = self._screen.buffer[row][column]
            is_ghost = cell.fg == self._ghost
            drawn += "»" if was_ghost and not is_ghost else ""
            drawn += "|" if self._cursor == (row, column) else ""
            drawn += "«" if is_ghost and not was_ghost else ""
            drawn += cell.data
            was_ghost = is_ghost
        return (drawn + ("»" if was_ghost else "")).rstrip()

    @property
    def _cursor(self) -> tuple[int, int]:
        return self._screen.cursor.y, self._screen.cursor.x

    def _styled_row(self, row: int) -> Text:
        cells = [
            (self._style(row, column), self._screen.buffer[row][column].data)
            for column in range(self._screen.columns)
        ]
        runs = itertools.groupby(cells, key=lambda cell: cell[0])
        return Text.assemble(*(("".join(data for _, data in run), style) for style, run in runs))

    def _style(self, row: int, column: int) -> Style:
        cell = self._screen.buffer[row][column]
        return Style(
            color=_colour(cell.fg),
            bgcolor=_colour(cell.bg),
            bold=cell.bold,
            italic=cell.italics,
            underline=cell.underscore,
            reverse=cell.reverse != (self._cursor == (row, column)),
        )

    def _write(self, keys: str) -> None:
        with suppress(OSError):
            os.write(self._own, keys.encode())

    def _follow(self, is_there: Callable[[], bool], wanted: str) -> None:
        """Take in what the program writes until something is there, or it has been long enough."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_there():
            patience = deadline - time.monotonic()
            if (patience <= 0 or not self._take_in(patience)) and not is_there():
                pytest.fail(f"waited in vain for\n{wanted}\nand saw\n{self.drawing}\n\nof\n{self.text}")

    def _take_in(self, patience_s: float) -> bool:
        """Wait for the program's next words; false if there will be none."""
        if not select.select([self._own], [], [], patience_s)[0]:
            return True
        try:
            said = os.read(self._own, READ_AT_MOST)
        except OSError:  # the program has left its terminal
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(FAREWELL_S)
            return False
        self._feed(self._rest + self._decode(said))
        return True

    def _feed(self, said: str) -> None:
        said = NOT_FOR_PYTE.sub("", said)
        cut = UNFINISHED.search(said)
        end = cut.start() if cut else len(said)
        self._rest = said[end:]
        self._stream.feed(said[:end])


def _key(name: str) -> str:
    """What a terminal sends for a key."""
    if name in KEYS:
        return KEYS[name]
    modifier, _, key = name.partition("-")
    if modifier == "M":
        return "\x1b" + KEYS.get(key, key)
    assert modifier == "C", f"no such key: {name}"
    return chr(ord(key.upper()) & 0x1F)


def _colour(name: str) -> str | None:
    """A colour of pyte as rich calls it; None for the terminal's own."""
    if name == "default":
        return None
    if re.fullmatch("[0-9a-f]{6}", name):
        return f"#{name}"
    return name.replace("brown", "yellow").replace("bright", "bright_")
