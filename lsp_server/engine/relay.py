"""From the worker's thread to the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def on_this_loop(listener: Callable[[T], None]) -> Callable[[T], None]:
    """Calls ``listener`` on the running loop, from whatever thread it is called."""
    loop = asyncio.get_running_loop()

    def relay(value: T) -> None:
        with suppress(RuntimeError):  # the loop may have been closed meanwhile
            loop.call_soon_threadsafe(listener, value)

    return relay
