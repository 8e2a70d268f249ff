"""Several clients of one server, over TCP and over WebSocket."""

import asyncio
import re

import pytest
from websockets.exceptions import InvalidStatus

DRAFT = "def add(a, b):\n    return "


async def test_each_client_has_documents_and_settings_of_its_own(tcp):
    one, two = await tcp(), await tcp()
    await one.initialize()
    await two.initialize({"enabled": False})
    await one.open(DRAFT)
    await two.open(DRAFT)
    assert await one.ghost(1, 11) == "a + b"
    assert await two.ghost(1, 11) is None
    assert await two.execute("fim-ls.toggle") == {"enabled": True}
    assert await two.ghost(1, 11) == "a + b"
    assert await one.ghost(0, 0, uri="file:///project/other.py") is None


async def test_a_client_that_goes_away_ends_only_its_own_session(tcp):
    one, two, three = await tcp(), await tcp(), await tcp()
    for client in (one, two, three):
        await client.initialize()
        await client.open(DRAFT)
    one.writer.close()
    await two.request("shutdown")
    await two.notify("exit")
    await two.hear_the_end()
    assert await three.ghost(1, 11) == "a + b"
    late = await tcp()
    await late.initialize()
    await late.open(DRAFT)
    assert await late.ghost(1, 11) == "a + b"


class Breath:
    """Holds back what is written."""

    def __init__(self, held):
        self.write = held.append

    async def drain(self):
        pass


async def test_a_request_and_an_edit_in_one_breath_are_kept_apart(tcp, place):
    """The request is answered for the text that it was made for."""
    client = await tcp()
    await client.initialize()
    await client.open("x\n" * 40 + DRAFT)
    breath = []
    client.writer, writer = Breath(breath), client.writer
    _, reply = await client.begin("textDocument/inlineCompletion", place(41, 11))
    await client.change({"text": ""})
    client.writer = writer
    await client.send_bytes(b"".join(breath))
    items = (await asyncio.wait_for(reply, 60))["result"]["items"]
    assert items[0]["range"]["start"] == {"line": 41, "character": 11}


async def test_a_browser_that_posts_to_the_port_is_left(listening):
    port = await listening("--tcp")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}'
    writer.write(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()


async def test_a_port_that_is_taken_is_one_sentence(listening, launch):
    port = await listening("--tcp")
    process, log = await launch("--tcp", str(port))
    assert await asyncio.wait_for(process.wait(), 60) == 2
    assert re.fullmatch(rf"fim-ls: 127\.0\.0\.1:{port} cannot be listened on: .*\.\n", log.read_text())


async def test_websocket_clients_are_served_in_text_frames(websocket):
    one, two = await websocket(), await websocket(origin="http://localhost:5173")
    for client in (one, two):
        await client.initialize()
        await client.open(DRAFT)
        assert await client.ghost(1, 11) == "a + b"
    await one.connection.close()
    assert await two.ghost(1, 11) == "a + b"


async def test_a_broken_frame_does_not_end_a_websocket(websocket):
    client = await websocket()
    await client.connection.send("{")
    await client.connection.send(b"\xff\xfe")
    for _ in range(2):
        assert await asyncio.wait_for(client.refusals.get(), 60) == -32700
    await client.initialize()


@pytest.mark.parametrize("origin", ["https://example.com", "http://localhost.example.com", "null"])
async def test_a_page_from_elsewhere_may_not_connect(websocket, origin):
    with pytest.raises(InvalidStatus):
        await websocket(origin=origin)
