"""The life of the server: over standard input, or for several clients over TCP or WebSocket."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from lsp_server.errors import UserError
from lsp_server.lsp import features
from lsp_server.lsp.discretion import keep_discreet, log_loop_error
from lsp_server.lsp.session import FimServer
from lsp_server.lsp.transports import PipeReader, PipeWriter, frames, is_alive, protected_stdout

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
    from io import BufferedReader
    from socket import socket
    from typing import BinaryIO

    from websockets.asyncio.server import ServerConnection

    from lsp_server.completer import Completer
    from lsp_server.lsp.options import Layers

    NewCompleter = Callable[[], Completer]

PARENT_POLL_S = 3.0
"""How often it is looked whether the editor still lives, in seconds."""


@dataclass(frozen=True)
class Website:
    """A client that runs in browsers.

    Attributes:
        page: the HTML; it connects to the address that it came from.
        announce: called with that address once it is served.
    """

    page: bytes
    announce: Callable[[str], None]


class _ParentGoneError(Exception):
    """The editor died without closing our standard input."""


def serve_stdio(new_completer: NewCompleter, layers: Layers) -> int:
    """Serve the one client at standard input and output; returns the exit code."""
    keep_discreet()
    try:
        return asyncio.run(_serve_stdio(new_server(new_completer, layers), protected_stdout()))
    except (_ParentGoneError, KeyboardInterrupt):
        # A thread waits for standard input; nothing can wake it, and an ordinary exit would wait for it.
        os._exit(1)


def serve_tcp(host: str, port: int, new_completer: NewCompleter, layers: Layers) -> int:
    """Serve any number of clients over TCP until interrupted; returns the exit code.

    Raises:
        UserError: the address cannot be listened on.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = new_server(new_completer, layers)
        server.protocol.set_writer(writer)
        try:
            await converse(server, frames(reader))
        finally:
            writer.close()

    async def listen() -> None:
        listening = await asyncio.start_server(serve, host, port)
        await _announced("tcp", listening.sockets)

    return _listen(listen(), host, port)


def serve_ws(
    host: str, port: int, new_completer: NewCompleter, layers: Layers, website: Website | None = None
) -> int:
    """Serve any number of clients over WebSocket until interrupted; returns the exit code.

    Args:
        host: where to listen.
        port: where to listen; 0 takes any free port.
        new_completer: makes each client's own.
        layers: what is said of settings outside the editor.
        website: a client that browsers get from here.

    Raises:
        UserError: the address cannot be listened on.
    """
    from lsp_server.lsp import websocket  # noqa: PLC0415 - would slow the start over standard input

    async def serve(connection: ServerConnection) -> None:
        server = new_server(new_completer, layers)
        server.protocol.set_writer(websocket.TextFrameWriter(connection), include_headers=False)
        await converse(server, websocket.text_frames(connection))

    async def listen() -> None:
        listening = await websocket.listen(host, port, serve, website.page if website else None)
        if website is None:
            await _announced("ws", listening.sockets)
        else:
            await _announced("http", listening.sockets, website.announce)

    return _listen(listen(), host, port)


def new_server(new_completer: NewCompleter, layers: Layers) -> FimServer:
    """A server for one client, with documents, settings and a completer of its own."""
    server = FimServer(new_completer(), layers)
    features.register(server)
    return server


async def converse(server: FimServer, messages: AsyncGenerator[bytes, None]) -> int:
    """Handle the messages of a client until it leaves; returns the exit code that it asked for."""
    asyncio.get_running_loop().set_exception_handler(log_loop_error)
    try:
        async with aclosing(messages):
            async for body in messages:
                server.protocol.receive(body)
                # A handler takes its snapshot before the next message can change the document.
                await asyncio.sleep(0)
                if server.protocol.exit_code is not None:
                    return server.protocol.exit_code
    finally:
        await server.close()
    return 0 if server.protocol.was_shut_down else 1


async def _serve_stdio(server: FimServer, stdout: BinaryIO) -> int:
    server.protocol.set_writer(PipeWriter(stdout))
    reader = PipeReader(cast("BufferedReader", sys.stdin.buffer), server.thread_pool)
    conversation = asyncio.create_task(converse(server, frames(reader)))
    parent_gone = asyncio.create_task(_parent_gone(server))
    await asyncio.wait((conversation, parent_gone), return_when=asyncio.FIRST_COMPLETED)
    if conversation.done():
        parent_gone.cancel()
        return conversation.result()
    conversation.cancel()
    with suppress(asyncio.CancelledError):
        await conversation
    raise _ParentGoneError


async def _parent_gone(server: FimServer) -> None:
    while server.parent is None or is_alive(server.parent):
        await asyncio.sleep(PARENT_POLL_S)


def _announce(url: str) -> None:
    sys.stderr.write(f"fim-ls listens on {url}\n")
    sys.stderr.flush()


async def _announced(
    scheme: str, sockets: Iterable[socket], announce: Callable[[str], None] = _announce
) -> None:
    """Say where clients are awaited, and let them come until the process is interrupted."""
    for address in (one.getsockname() for one in sockets):
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        announce(f"{scheme}://{host}:{address[1]}")
    await asyncio.Event().wait()


def _listen(listening: Coroutine[None, None, None], host: str, port: int) -> int:
    keep_discreet()
    try:
        asyncio.run(listening)
    except (OSError, UnicodeError) as error:
        message = f"{host}:{port} cannot be listened on: {getattr(error, 'strerror', None) or error}."
        raise UserError(message) from error
    except KeyboardInterrupt:
        pass  # the way to end it
    return 0
