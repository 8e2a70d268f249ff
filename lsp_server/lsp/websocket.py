"""Messages in and out as WebSocket text frames; browser clients understand no others."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from lsp_server.lsp.transports import MOST_MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

ORIGINS = (None, re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"))
"""Who may connect: programs, which send no origin, and pages that this machine serves.

Any page in the user's browser can reach a loopback port, and whoever is served can name a model to load.
"""


async def listen(host: str, port: int, handler: Callable[[ServerConnection], Awaitable[None]]) -> Server:
    """Begin to accept connections.

    Raises:
        OSError: the address cannot be listened on.
    """
    return await serve(handler, host, port, origins=ORIGINS, max_size=MOST_MESSAGE_BYTES, compression=None)


async def text_frames(connection: ServerConnection) -> AsyncGenerator[bytes, None]:
    """The messages of a connection, until it is closed."""
    with suppress(ConnectionClosed):
        async for frame in connection:
            yield frame.encode() if isinstance(frame, str) else frame


class TextFrameWriter:
    """Sends each message as one text frame; what cannot be delivered any more is dropped."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def write(self, data: bytes) -> None:
        """Send one message."""
        with suppress(ConnectionClosed):
            await self._connection.send(data.decode())

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()
