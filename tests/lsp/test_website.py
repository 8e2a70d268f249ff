"""A page and the WebSocket that it speaks to, at one port."""

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from lsp_server.lsp import websocket

PAGE = "<p>é</p>".encode()


@pytest.fixture
async def listen():
    """Listen, with a page or without; gives the address."""
    servers = []

    async def listen(page):
        async def greet(connection):
            await connection.send("hello")

        servers.append(await websocket.listen("127.0.0.1", 0, greet, page))
        return f"127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}"

    yield listen
    for server in servers:
        server.close()
        await server.wait_closed()


async def get(address, path):
    """The answer to a browser, head and body."""
    reader, writer = await asyncio.open_connection(*address.split(":"))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
    head, _, body = (await asyncio.wait_for(reader.read(), 60)).partition(b"\r\n\r\n")
    writer.close()
    return head.decode(), body


@pytest.mark.parametrize("path", ["/", "/?theme=dark"])
async def test_a_browser_gets_the_page(listen, path):
    head, body = await get(await listen(PAGE), path)
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {len(PAGE)}" in head
    assert "default-src 'none'" in head
    assert body == PAGE


async def test_there_is_nothing_beside_the_page(listen):
    head, _ = await get(await listen(PAGE), "/favicon.ico")
    assert head.startswith("HTTP/1.1 404 ")


async def test_without_a_page_a_browser_gets_none(listen):
    head, _ = await get(await listen(None), "/")
    assert head.startswith("HTTP/1.1 426 ")


async def test_the_page_may_connect_to_where_it_came_from(listen):
    address = await listen(PAGE)
    async with connect(f"ws://{address}/", origin=f"http://{address}", proxy=None) as connection:
        assert await connection.recv() == "hello"


async def test_a_page_from_elsewhere_may_not(listen):
    with pytest.raises(InvalidStatus):
        await connect(f"ws://{await listen(PAGE)}/", origin="http://example.com", proxy=None)
