"""Leaving the process while the model's library may still be at work."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress

from lsp_server.engine.engine import Engine

_stuck: list[Engine] = []


def let_go(engine: Engine) -> None:
    """Stop the engine; ``leave`` minds it if its thread does not come back in time."""
    if not engine.close():
        _stuck.append(engine)


def leave(exit_code: int) -> int:
    """The exit code, once all is printed; while an engine is stuck it leaves the process at once.

    A thread that is inside a model's library cannot be ended, and Python's own way out, which unwinds such
    threads, ends in a crash of the library.
    """
    if any(not engine.close(0) for engine in _stuck):
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        logging.shutdown()
        os._exit(exit_code)
    return exit_code
