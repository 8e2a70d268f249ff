"""The files of the project that a document belongs to; read only for whoever asks for an explanation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from lsp_server.completion.trigger import is_disabled
from lsp_server.settings import Settings

MOST_ENTRIES = 20_000
"""Files and directories that are looked at."""
MOST_FILES = 2_000
MOST_FILE_BYTES = 256 * 1024
MOST_BYTES = 16 * 1024 * 1024
_HEAD_BYTES = 4096
ROOT_MARKS = (".git", ".hg", ".svn", ".fim-ls.toml", "pyproject.toml", "package.json", "Cargo.toml", "go.mod")
NOT_SOURCES = frozenset({"__pycache__", "build", "dist", "node_modules", "site-packages", "target", "vendor"})
"""Directories whose files nobody of the project wrote; hidden ones and virtual environments are others."""


def project_root(path: Path) -> Path:
    """The nearest directory above a file that looks like the root of a project, else the file's own."""
    home = Path.home()
    for directory in path.parents:
        if directory != home and any((directory / mark).exists() for mark in ROOT_MARKS):
            return directory
    return path.parent


def sources(root: Path, settings: Settings) -> Iterator[tuple[Path, str]]:
    r"""What lies below a directory with its text, with ``\n`` line ends; bounded.

    A directory, a binary and what is disabled come with no text: each is a turn, so that whoever has other
    work never waits for a whole folder of them.
    """
    files = bytes_read = 0
    for path in islice(_entries(root), MOST_ENTRIES):
        text = None if is_disabled(path.as_posix(), settings) else read_source(path)
        yield path, text or ""
        files, bytes_read = files + (text is not None), bytes_read + len(text or "")
        if files >= MOST_FILES or bytes_read >= MOST_BYTES:
            return


def _entries(root: Path) -> Iterator[Path]:
    """A directory and the files in it, by name, then those below; symbolic links are not followed."""
    for directory, below, names in os.walk(root):
        below[:] = sorted(name for name in below if _may_hold_sources(Path(directory, name)))
        yield Path(directory)
        yield from (Path(directory, name) for name in sorted(names) if not name.startswith("."))


def _may_hold_sources(directory: Path) -> bool:
    name = directory.name
    return not (name.startswith(".") or name in NOT_SOURCES or (directory / "pyvenv.cfg").exists())


def read_source(path: Path) -> str | None:
    r"""The text of a file, with ``\n`` line ends; None if it is not a plain file of text, or too large."""
    try:
        # Files of the kernel have no size, and to read some of them never ends.
        if path.is_symlink() or not path.is_file() or not 0 < path.stat().st_size <= MOST_FILE_BYTES:
            return None
        with path.open("rb") as file:
            content = file.read(_HEAD_BYTES)
            if b"\0" not in content:  # of a picture or an object file no more than its head is read
                content += file.read(MOST_FILE_BYTES)
        return None if b"\0" in content else content.decode().replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError):
        return None
