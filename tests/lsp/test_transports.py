import asyncio
import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from lsp_server.lsp.transports import MOST_MESSAGE_BYTES, PipeReader, PipeWriter, frames, is_alive


def frame(body, header=b"Content-Length: %d\r\n\r\n"):
    return header % len(body) + body


async def bodies(*chunks):
    reader = asyncio.StreamReader()
    for chunk in chunks:
        reader.feed_data(chunk)
    reader.feed_eof()
    return [body async for body in frames(reader)]


async def test_messages_are_read_one_after_the_other():
    assert await bodies(frame(b"one"), frame("zwölf".encode())) == [b"one", "zwölf".encode()]


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: %d\r\n\r\n",
        b"Content-Length: %d\r\nContent-Type: text\r\n\r\n",
        b"content-length:%d\n\n",
        b"\r\n\r\nContent-Length:  %d \r\n\r\n",
        b"garbage\r\nContent-Length: %d\r\n\r\n",
    ],
)
async def test_headers_are_read_leniently(header):
    assert await bodies(frame(b"one", header), frame(b"two")) == [b"one", b"two"]


async def test_a_message_longer_than_announced_spoils_only_itself():
    assert await bodies(b"Content-Length: 3\r\n\r\none too long", frame(b"two")) == [b"one", b"two"]


async def test_an_empty_message_is_a_message():
    assert await bodies(frame(b""), frame(b"two")) == [b"", b"two"]


async def test_a_message_that_is_cut_short_is_none():
    assert await bodies(frame(b"one"), b"Content-Length: 9\r\n\r\ntwo") == [b"one"]


async def test_a_stream_read_in_a_thread_ends_like_any_other():
    class Stream(io.BytesIO):
        async def readexactly(self, n):
            return self.read(n)

        async def readline(self):
            return io.BytesIO.readline(self)

    stream = Stream(frame(b"one") + b"Content-Length: 9\r\n\r\ntwo")
    assert [body async for body in frames(stream)] == [b"one"]


@pytest.mark.parametrize(
    "start",
    [
        b"POST / HTTP/1.1\r\n",
        b"Content-Length: %d\r\n\r\n" % (MOST_MESSAGE_BYTES + 1),
        b"x" * 100_000,
    ],
)
async def test_whoever_speaks_something_else_is_left(start):
    assert await bodies(start, frame(b"one")) == []


class Chunks:
    """A stream that gives one chunk at each reading."""

    def __init__(self, *chunks):
        self.chunks = list(chunks)
        self.readings = 0

    def fileno(self):
        raise io.UnsupportedOperation

    def read1(self, _size):
        self.readings += 1
        return self.chunks.pop(0) if self.chunks else b""


@pytest.fixture
def threads():
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
async def test_a_pipe_gives_the_same_frames_in_whatever_pieces_they_come(threads, size):
    sent = frame(b"one") + frame("zwölf".encode()) + frame(b"")
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    reader = PipeReader(Chunks(*pieces), threads)
    assert [body async for body in frames(reader)] == [b"one", "zwölf".encode(), b""]


@pytest.mark.skipif(os.name == "nt", reason="the event loop does not wait for pipes there")
async def test_the_event_loop_waits_for_a_pipe_itself():
    arrived, sent = os.pipe()
    with os.fdopen(arrived, "rb") as stream, os.fdopen(sent, "wb", buffering=0) as editor:
        messages = frames(PipeReader(stream, None))
        first = asyncio.ensure_future(anext(messages))
        editor.write(frame(b"one")[:-1])
        await asyncio.sleep(0)
        assert not first.done()
        editor.write(b"e" + frame(b"two"))
        assert [await first, await anext(messages)] == [b"one", b"two"]
        editor.close()
        assert [body async for body in messages] == []


async def test_a_file_is_read_on_a_thread(threads, tmp_path):
    path = tmp_path / "messages"
    path.write_bytes(frame(b"one") + frame(b"two"))
    with path.open("rb") as stream:
        assert [body async for body in frames(PipeReader(stream, threads))] == [b"one", b"two"]


async def test_what_is_there_is_read_at_once_and_nothing_sooner_than_it_is_wanted(threads):
    stream = Chunks(frame(b"one") + frame(b"two"), frame(b"three"))
    messages = frames(PipeReader(stream, threads))
    assert [await anext(messages), await anext(messages)] == [b"one", b"two"]
    assert stream.readings == 1, "a thread that waits for input would keep the process from ending"
    await messages.aclose()


async def test_a_pipe_that_ends_within_a_frame_ends_there(threads):
    reader = PipeReader(Chunks(frame(b"one"), frame(b"three")[:-2]), threads)
    assert [body async for body in frames(reader)] == [b"one"]


def test_what_cannot_be_delivered_is_dropped():
    stream = io.BytesIO()
    writer = PipeWriter(stream)
    writer.write(b"one")
    assert stream.getvalue() == b"one"
    writer.close()
    writer.write(b"two")


@pytest.mark.skipif(os.name == "nt", reason="processes are not watched there")
def test_a_process_is_alive_until_it_has_ended():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert is_alive(process.pid)
    process.communicate()
    assert not is_alive(process.pid)


@pytest.mark.parametrize("process_id", [None, 0, -1])
def test_no_process_is_not_alive(process_id):
    assert not is_alive(process_id)
