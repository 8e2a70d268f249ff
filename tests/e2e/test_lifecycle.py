"""How the server over standard input and output comes to its end."""

import asyncio
import os
import sys

import pytest

CANCELLED = -32800
SLOW = {"text": "word " * 60, "delay_ms": 200}
DRAFT = "def add(a, b):\n    return "


async def test_shutdown_then_exit_is_a_success(start):
    client = await start()
    await client.initialize()
    assert await client.request("shutdown") is None
    await client.notify("exit")
    assert await client.exit_code() == 0


async def test_exit_without_shutdown_is_not(start):
    client = await start()
    await client.initialize()
    await client.notify("exit")
    assert await client.exit_code() == 1


async def test_the_end_of_standard_input_is_the_end(start):
    client = await start()
    await client.initialize()
    client.writer.close()
    assert await client.exit_code() == 1


async def test_shutdown_while_the_model_works_answers_everything(start, place, status):
    client = await start(echo=SLOW)
    await client.initialize()
    await client.open(DRAFT)
    _, pending = await client.begin("textDocument/inlineCompletion", place(1, 11))
    await client.until(lambda message: status(message) == "busy")
    assert await client.request("shutdown") is None
    assert (await pending)["error"]["code"] == CANCELLED
    await client.notify("exit")
    assert await client.exit_code() == 0


async def test_the_process_goes_even_while_the_model_is_silent(start, place, status):
    client = await start(echo={"text": "a", "hang": True})
    await client.initialize()
    await client.open(DRAFT)
    await client.begin("textDocument/inlineCompletion", place(1, 11))
    await client.until(lambda message: status(message) == "loading")  # it falls silent in its warm-up
    await client.notify("exit")
    assert await client.exit_code() == 1


@pytest.mark.skipif(os.name == "nt", reason="processes are not watched there")
async def test_the_server_goes_when_its_editor_died(start):
    editor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE
    )
    client = await start()
    await client.initialize(processId=editor.pid)
    await editor.communicate(b"\n")
    editor._transport.close()
    assert await client.exit_code() == 1


async def test_an_editor_that_cannot_be_seen_is_not_missed(start):
    """As from inside a container, where its process number means nothing."""
    client = await start()
    await client.initialize(processId=2**22 + 1)
    await client.open(DRAFT)
    assert await client.ghost(1, 11) == "a + b"
