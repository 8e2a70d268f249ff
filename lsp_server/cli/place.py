"""FILE:LINE:COL on the command line, as a document and a cursor."""

from __future__ import annotations

import re
from pathlib import Path

from lsp_server.completion.document import Document, Snapshot
from lsp_server.errors import DocumentError

FORM = "FILE:LINE:COL, lines and columns counted from 1"
_SUFFIXES = {
    "c": ".c .h",
    "cpp": ".cc .cpp .cxx .hh .hpp",
    "csharp": ".cs",
    "css": ".css",
    "go": ".go",
    "html": ".html",
    "java": ".java",
    "javascript": ".js .mjs .cjs",
    "javascriptreact": ".jsx",
    "json": ".json",
    "kotlin": ".kt",
    "lua": ".lua",
    "markdown": ".md",
    "php": ".php",
    "python": ".py .pyi",
    "ruby": ".rb",
    "rust": ".rs",
    "scala": ".scala",
    "shellscript": ".sh .bash",
    "sql": ".sql",
    "swift": ".swift",
    "toml": ".toml",
    "typescript": ".ts .mts",
    "typescriptreact": ".tsx",
    "yaml": ".yaml .yml",
}
LANGUAGES = {suffix: language for language, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
"""LSP language identifiers by file name suffix."""


def read_place(argument: str) -> Snapshot:
    """The snapshot that FILE:LINE:COL names; COL counts characters, 1 is before the first.

    Raises:
        DocumentError: no such file, not UTF-8, or a position outside of it.
    """
    found = re.fullmatch(r"(.+):(\d{1,9}):(\d{1,9})", argument)
    if found is None:
        message = f"{argument!r} is not of the form {FORM}."
        raise DocumentError(message)
    path, line, column = Path(found[1]), int(found[2]), int(found[3])
    document = read_document(path)
    if not 1 <= line <= len(document.lines):
        message = f"{path} has {len(document.lines)} lines, so there is no line {line}."
        raise DocumentError(message)
    if not 1 <= column <= len(document.lines[line - 1]) + 1:
        message = f"Line {line} of {path} has columns 1 to {len(document.lines[line - 1]) + 1}, not {column}."
        raise DocumentError(message)
    return document.at(line - 1, column - 1)


def read_document(path: Path) -> Document:
    """The document in a file.

    Raises:
        DocumentError: no such file, a directory, unreadable, or not UTF-8.
    """
    try:
        source = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 (byte {error.start})."
        raise DocumentError(message) from error
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise DocumentError(message) from error
    return Document.from_source(
        path.resolve().as_uri(), LANGUAGES.get(path.suffix.lower(), "plaintext"), source
    )
