"""Messages in and out as WebSocket text frames; browser clients understand no others.

Where a page is given, browsers that ask for it get it at the same port, so that it may connect back.
"""

from __future__ import annotations

import re
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from lsp_server.lsp.transports import MOST_MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

ORIGINS = (None, re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"))
"""Who may connect: programs, which send no origin, and pages that this machine serves.

Any page in the user's browser can reach a loopback port, and whoever is served can name a model to load.
"""

PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    # All is in the page itself; it may speak to the server that sent it, and to nobody else.
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline';"
    " img-src data:; connect-src 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Connection": "close",
}


async def listen(
    host: str,
    port: int,
    handler: Callable[[ServerConnection], Awaitable[None]],
    page: bytes | None = None,
) -> Server:
    """Begin to accept connections, and to send the page, if there is one.

    Raises:
        OSError: the address cannot be listened on.
    """

    def respond(connection: ServerConnection, request: Request) -> Response | None:
        if page is None or "Upgrade" in request.headers:
            return None
        if request.path.partition("?")[0] != "/":
            return connection.respond(HTTPStatus.NOT_FOUND, "There is one page here, at /.\n")
        headers = Headers(PAGE_HEADERS, **{"Content-Length": str(len(page))})
        return Response(HTTPStatus.OK, HTTPStatus.OK.phrase, headers, page)

    return await serve(
        handler,
        host,
        port,
        origins=ORIGINS,
        process_request=respond,
        max_size=MOST_MESSAGE_BYTES,
        compression=None,
    )


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
