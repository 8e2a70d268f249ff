"""Keeps source text out of the log: pygls and asyncio put messages and results into theirs.

What goes through here is told by where it happened and what kind of error it was, never by its values.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import Any

logger = logging.getLogger(__name__)


def keep_discreet() -> None:
    """Let pygls log warnings and errors only, without their values; may be called twice."""
    theirs = logging.getLogger("pygls")
    theirs.setLevel(logging.WARNING)
    theirs.propagate = False
    theirs.handlers = [_WithoutValues()]


class _WithoutValues(logging.Handler):
    """Logs the records of pygls anew, with their place and template but without what was filled in."""

    def emit(self, record: logging.LogRecord) -> None:
        # Without arguments the values may already be part of the message.
        template = f": {record.msg}" if record.args else ""
        error = record.exc_info[1] if record.exc_info else None
        place = f"{record.name}, line {record.lineno}"
        logger.log(record.levelno, "%s%s%s", place, template, trace_without_values(error))


def trace_without_values(error: BaseException | None) -> str:
    """Where an error came from, frame by frame, and its type."""
    if error is None:
        return ""
    return "\n" + "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__


def log_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An exception handler for event loops that tells what failed, but not the task with its result."""
    error = context.get("exception")
    if not isinstance(error, asyncio.CancelledError):  # a connection that was open at the end
        logger.error("An error in the event loop%s", trace_without_values(error))
