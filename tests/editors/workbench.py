"""VS Code's workbench in a browser, served by code-server, and a user who types and looks at it.

An editor is drawn as its text, with ``|`` for the cursor and ``«…»`` around ghost text.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

    from .conftest import Machine

PATIENCE_MS = 90_000
"""Two browsers' worth of start-up on a busy machine; nothing waits longer than it must."""
LOOK_EVERY_MS, MOMENT_MS = 50, 2000
CHOICES = ".quick-input-list .monaco-list-row:visible, .notifications-toasts .monaco-button:visible"
FOCUSED = ".editor-group-container.active .monaco-editor.focused"
STATUS = '[id="fim-ls.fim-ls.status"]'
QUIET = {
    "chat.disableAIFeatures": True,
    "editor.minimap.enabled": False,
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "files.autoSave": "off",
    "git.enabled": False,
    "security.workspace.trust.enabled": False,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.welcomePage.walkthroughs.openOnInstall": False,
}
"""Settings of a user who wants to see nothing but the code."""

DRAW = """() => {
  const editor = document.querySelector('.editor-group-container.active .monaco-editor');
  if (!editor) return { lines: [], position: '' };
  const top = (element) => element.getBoundingClientRect().top;
  const isGhost = (element) => element.closest('[class*="ghost-text"], .suggest-preview-text') !== null;
  const pieces = (line) => {
    const texts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    const found = [];
    while (texts.nextNode()) found.push([texts.currentNode.data, isGhost(texts.currentNode.parentElement)]);
    return found;
  };
  const lines = [...editor.querySelectorAll('.view-line')].map((line) => ({
    top: top(line), pieces: pieces(line), isBetween: line.closest('.view-zones') !== null,
  }));
  const position = document.getElementById('status.editor.selection')?.textContent ?? '';
  return { lines: lines.sort((one, other) => one.top - other.top), position };
}"""
"""The lines of the editor in pieces, each with whether it is ghost text, and where the cursor is."""


class CodeServer:
    """A VS Code for browsers on a user's machine.

    Attributes:
        machine: what it runs on.
        address: where it listens.
    """

    def __init__(self, program: Path, machine: Machine, extension: Path) -> None:
        self.machine = machine
        data = machine.home / "code"
        self._command = [program, "--user-data-dir", data, "--extensions-dir", data / "extensions"]
        # VS Code starts extensions with the PATH of a login shell.
        machine.write(".profile", 'PATH="$HOME/bin:$PATH"\n')
        self._run("--install-extension", extension).check_returncode()
        self.set()
        self._process = self._start()
        self.address = self._read_address()

    def set(self, **settings: object) -> None:
        """Write the user's settings: those of a quiet VS Code, and these of fim-ls, with ``__`` for a dot."""
        ours = {f"fim-ls.{name.replace('__', '.')}": value for name, value in settings.items()}
        # Some settings belong to the user, some to the machine that the server runs on.
        for owner in ("User", "Machine"):
            self.machine.write(f"code/{owner}/settings.json", json.dumps(QUIET | ours))

    def opens(self, place: str) -> bool:
        """Open a file as from a terminal, ``FILE:LINE:COLUMN`` from 1; false while no window takes it."""
        return self._run("--reuse-window", place).returncode == 0

    def close(self) -> None:
        """End it, and all that it started."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def _run(self, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
        command = [*self._command, *arguments]
        return subprocess.run(command, env=self.machine.environment, check=False, capture_output=True)

    def _start(self) -> subprocess.Popen[str]:
        without = ("--disable-telemetry", "--disable-update-check", "--disable-getting-started-override")
        return subprocess.Popen(
            [*self._command, "--auth", "none", "--bind-addr", "127.0.0.1:0", *without],
            env=self.machine.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def _read_address(self) -> str:
        assert self._process.stdout
        for line in self._process.stdout:
            if found := re.search(r"listening on http://(\S+?)/?$", line):
                return found[1]
        pytest.fail("code-server has ended")


class Workbench:
    """A window of VS Code with a folder opened in it, and its user.

    Attributes:
        server: what serves it.
        folder: what is opened in it.
    """

    def __init__(self, page: Page, server: CodeServer) -> None:
        self._page, self.server = page, server
        self.folder = server.machine.home / "project"
        self.folder.mkdir()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"http://{server.address}/?{urlencode({'folder': self.folder})}")

    def edit(self, name: str, drawing: str) -> Path:
        """Open a file with the text of a drawing, and put the cursor where it is drawn."""
        before, after = drawing.split("|")
        file = self.folder / name
        file.write_bytes((before + after).encode())
        *above, line = before.split("\n")
        # The command line counts columns in units of UTF-16, the status bar in characters.
        column = len(line.encode("utf-16-le")) // 2 + 1
        self.waits_for(lambda: self.server.opens(f"{file}:{len(above) + 1}:{column}"))
        self.sees(drawing.replace("\r", ""))
        self._page.locator(FOCUSED).wait_for()
        return file

    def type(self, text: str) -> None:
        """Type characters, as fast as the window takes them."""
        self._page.keyboard.type(text)

    def press(self, *keys: str) -> None:
        """Press keys, such as ``Tab`` or ``Control+ArrowRight``."""
        for key in keys:
            self._page.keyboard.press(key)

    def run(self, command: str) -> None:
        """Run a command of the palette."""
        self.press("F1")
        self._page.locator(".quick-input-widget input").fill(f">{command}")
        self._page.locator(".quick-input-list .monaco-list-row.focused", has_text=command).wait_for()
        self.press("Enter")
        self._menu_is_gone()

    def choose(self, *labels: str) -> None:
        """Click entries of menus, or buttons of notifications, as they appear."""
        for label in labels:
            self._page.locator(CHOICES, has_text=label).first.click()
        self._menu_is_gone()

    def _menu_is_gone(self) -> None:
        """Wait until it is: when it closes it gives the focus back, whatever has it by then."""
        self._page.locator(".quick-input-widget").wait_for(state="hidden")

    def sees(self, drawing: str) -> None:
        """Wait until the editor shows this."""
        drawing = drawing.rstrip("\n")
        self.waits_for(lambda: self.drawing == drawing, drawing)

    def sees_ghost_text(self) -> str:
        """Wait until the editor shows any; returns it."""
        self.waits_for(lambda: "«" in self.drawing, "ghost text")
        return "\n".join(re.findall("«(.*?)»", self.drawing))

    def sees_status(self, text: str) -> None:
        """Wait until our item in the status bar shows this."""
        self._page.locator(STATUS, has_text=text).wait_for()

    def wakes_up(self) -> None:
        """Type and take it back until there is ghost text; just after a start one edit may go unasked."""

        def is_awake() -> bool:
            self.type(" ")
            self._page.wait_for_timeout(MOMENT_MS)
            seen = "«" in self.drawing
            self.press("Backspace")
            return seen

        self.waits_for(is_awake, "ghost text")

    def open_menu(self) -> None:
        """Open our menu, by a click on our item in the status bar."""
        self._page.locator(STATUS).click()

    def shows(self, selector: str, text: str) -> Locator:
        """Wait until a part of the window shows a text; returns the part."""
        found = self._page.locator(selector, has_text=text).first
        found.wait_for()
        return found

    def picture(self, path: Path) -> None:
        """Write what the window shows as an image."""
        self._page.screenshot(path=path, animations="disabled")

    def waits_for(self, is_there: Callable[[], bool], wanted: str = "") -> None:
        """Look until something is there, or it has been long enough."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while time.monotonic() < deadline:
            if is_there():
                return
            self._page.wait_for_timeout(LOOK_EVERY_MS)
        pytest.fail(f"waited in vain for\n{wanted}\nand saw\n{self.drawing}")

    @property
    def drawing(self) -> str:
        """What the editor shows now, without its empty end."""
        seen = self._page.evaluate(DRAW)
        line, column = map(int, re.findall(r"\d+", seen["position"])[:2] or (0, 0))
        return _drawn(seen["lines"], line, column).rstrip("\n")


def _drawn(lines: Iterable[dict[str, Any]], cursor_line: int, cursor_column: int) -> str:
    drawn, number = [], 0
    for line in lines:
        number += not line["isBetween"]
        is_here = number == cursor_line and not line["isBetween"]
        drawn.append(_drawn_line(line["pieces"], cursor_column - 1 if is_here else -1))
    return "\n".join(drawn)


def _drawn_line(pieces: Iterable[tuple[str, bool]], cursor: int) -> str:
    """One line; ``cursor`` characters of its text stand before the cursor, none if it is elsewhere."""
    drawn, typed = "|" if cursor == 0 else "", 0
    for text, is_ghost in pieces:
        at = cursor - typed
        if is_ghost:
            drawn += f"«{text}»"
        else:
            drawn += f"{text[:at]}|{text[at:]}" if 0 < at <= len(text) else text
            typed += len(text)
    return drawn.replace("»«", "").replace("\xa0", " ")


@contextmanager
def opened(server: CodeServer, browser: Browser) -> Iterator[Workbench]:
    """A window on what a server serves."""
    page = browser.new_page(viewport={"width": 1000, "height": 560})
    yield Workbench(page, server)
    page.close()
