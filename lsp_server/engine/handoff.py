"""Turn a call that pushes into an iterator that is pulled.

llama.cpp hands out tokens by calling back; our backends are iterators. The call runs on a thread of its own
that lives as long as the iterator. A callback returns only once the next item is wanted or none is, so that
the call hears at the item that was left, and not at the one behind it.
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
    items: queue.SimpleQueue[Any] = queue.SimpleQueue()
    more_wanted: queue.SimpleQueue[bool] = queue.SimpleQueue()
    failures: list[BaseException] = []

    def offer(item: Item) -> bool:
        items.put(item)
        return more_wanted.get()

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
            more_wanted.put(True)
        if failures:
            raise failures[0]
    finally:
        while item is not _END:
            more_wanted.put(False)
            item = items.get()
