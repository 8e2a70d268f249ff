"""Messages in and out in ``Content-Length`` frames, over standard input and output or TCP."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable
    from concurrent.futures import Executor
    from io import BufferedReader

logger = logging.getLogger(__name__)

MOST_MESSAGE_BYTES = 256 * 1024 * 1024
"""A client that announces more is not one."""

CHUNK_BYTES = 262_144

# At a line's end, not only at its start: after a message longer than announced, it follows the rest.
_CONTENT_LENGTH = re.compile(rb"content-length:\s*(\d{1,12})\s*\Z", re.IGNORECASE)
_HTTP_REQUEST = re.compile(rb"[A-Z]+ \S+ HTTP/\d")


class Reader(Protocol):
    """Where frames are read from."""

    def readline(self) -> Awaitable[bytes]:
        """The next line with its end; what is left at the end of the stream."""
        ...

    def readexactly(self, n: int) -> Awaitable[bytes]:
        """The next ``n`` bytes; fewer, or an error, at the end of the stream."""
        ...


async def frames(reader: Reader) -> AsyncGenerator[bytes, None]:
    """The bodies of the messages, until the stream ends or turns out to be something else."""
    length: int | None = None
    with suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
        while line := await reader.readline():
            if found := _CONTENT_LENGTH.search(line):
                length = int(found.group(1))
            elif not line.strip() and length is not None:
                body = await reader.readexactly(length)
                if len(body) < length:
                    return
                yield body
                length = None
            # A page in a browser can post to any port, and HTTP announces its length the same way.
            if (length or 0) > MOST_MESSAGE_BYTES or _HTTP_REQUEST.match(line):
                logger.error("The client does not speak the language server protocol")
                return


class PipeReader:
    """Reads a stream, always as much of it as is there, and no sooner than something is wanted.

    The event loop waits for a pipe, a socket or a terminal itself: a thread would have to be woken up, and to
    wait for the interpreter, twice for each key. Where the loop cannot, for a file or on Windows, a thread
    waits; only while something is wanted, since one that waits keeps the process from ending.
    """

    def __init__(self, stream: BufferedReader, threads: Executor) -> None:
        self._stream = stream
        self._threads = threads
        self._read = bytearray()

    async def readline(self) -> bytes:
        """The next line with its end; what is left at the end of the stream."""
        while not (end := self._read.find(b"\n") + 1) and await self._read_on():
            pass
        return self._take(end or len(self._read))

    async def readexactly(self, n: int) -> bytes:
        """The next ``n`` bytes; fewer at the end of the stream."""
        while len(self._read) < n and await self._read_on():
            pass
        return self._take(n)

    def _take(self, length: int) -> bytes:
        taken = bytes(self._read[:length])
        del self._read[:length]
        return taken

    async def _read_on(self) -> bool:
        """Wait for more; False at the end of the stream."""
        try:
            await _readable(self._stream.fileno())
        except (NotImplementedError, OSError):  # of Windows; of a file, or a stream without a descriptor
            loop = asyncio.get_running_loop()
            more = await loop.run_in_executor(self._threads, self._stream.read1, CHUNK_BYTES)
        else:
            more = os.read(self._stream.fileno(), CHUNK_BYTES)
        self._read += more
        return bool(more)


async def _readable(descriptor: int) -> None:
    """Wait until something, or the end, can be read without waiting."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)


class PipeWriter:
    """Writes to a stream at once; what cannot be delivered any more is dropped."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        """Write one frame."""
        with suppress(OSError, ValueError):
            self._stream.write(data)
            self._stream.flush()

    def close(self) -> None:
        """Close the stream."""
        with suppress(OSError):
            self._stream.close()


def protected_stdout() -> BinaryIO:
    """Standard output for the protocol alone; what anything else writes there goes to standard error."""
    sys.stdout.flush()
    protocol = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return protocol


def is_alive(process_id: int | None) -> bool:
    """Whether a process exists, as far as can be told without harm (never on Windows)."""
    if process_id is None or process_id <= 0 or os.name == "nt":
        return False
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
