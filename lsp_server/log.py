"""The log: to standard error or a file, never to standard output, source text at DEBUG only."""

from __future__ import annotations

import logging
from pathlib import Path

from lsp_server.errors import UserError

LEVELS = ("debug", "info", "warning", "error")
"""Names of the levels, most talkative first."""

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up(level: str, file: str | None = None) -> None:
    """Log from ``level`` on to standard error, or to the end of ``file``."""
    try:
        handler = logging.FileHandler(Path(file), encoding="utf-8") if file else logging.StreamHandler()
    except OSError as error:
        message = f"The log cannot be written to {file}: {error.strerror or error}."
        raise UserError(message) from error
    handler.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # They log what passes through them, bodies of messages included.
    for talkative in ("pygls", "httpx", "httpcore", "websockets", "asyncio"):
        logging.getLogger(talkative).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
