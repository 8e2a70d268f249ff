"""Turn a call that pushes into an iterator that is pulled.

llama.cpp hands out tokens by calling back; our backends are iterators. The call runs on a thread of its own
that lives as long as the iterator, one item ahead of it at most.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from typing import Any, TypeVar

Item = TypeVar("Item")
Push = Callable[[Callable[[Item], bool]], Any]
"""A call that offers each of its items to a callback and ends soon after the callback says False."""
_END = object()


def pull(push: Push[Item]) -> Generator[Item, None, None]:
    """The items that ``push`` offers, one by one; closing the iterator ends the call and waits for it.

    Raises:
        Exception: whatever ``push`` raised.
    """
    items: queue.Queue[Any] = queue.Queue(maxsize=1)
    wanted = threading.Event()
    wanted.set()
    failures: list[BaseException] = []

    def offer(item: Item) -> bool:
        if wanted.is_set():
            items.put(item)
        return wanted.is_set()

    def run() -> None:
        try:
            push(offer)
        except BaseException as error:  # raised again where the items are pulled
            failures.append(error)
        finally:
            items.put(_END)

    threading.Thread(target=run, name="fim-ls handoff", daemon=True).start()
    item: Any = None
    try:
        while (item := items.get()) is not _END:
            yield item
        if failures:
            raise failures[0]
    finally:
        wanted.clear()
        while item is not _END:
            item = items.get()
