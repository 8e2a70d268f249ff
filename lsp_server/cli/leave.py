"""Leaving the process while the model's library may still be at work."""

from __future__ import annotations

import logging
import os
import sys

from lsp_server.engine.engine import Engine


def let_go(engine: Engine, exit_code: int) -> None:
    """Stop the engine; if its thread does not come back in time, leave the process at once.

    A thread that is inside a model's library cannot be ended, and Python's own way out, which unwinds such
    threads, ends in a crash of the library.
    """
    if not engine.close():
        sys.stdout.flush()
        logging.shutdown()
        os._exit(exit_code)
