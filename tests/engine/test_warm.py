"""Where the cursor comes to rest, the model reads before anything is asked."""

from __future__ import annotations

import asyncio

import pytest

from lsp_server.completer import Completer
from lsp_server.completion.document import Document
from lsp_server.completion.trigger import Ask
from lsp_server.settings import Settings

URI = "file:///project/a.py"


def at(drawn):
    before, _, after = drawn.partition("|")
    return Document(URI, "python", before + after).at_offset(len(before))


RESTING = at("def add(a, b):\n    return |\n")


@pytest.fixture
def completer(bench, moments):
    return Completer(bench.engine, Settings(debounce_ms=0), moments)


async def looked(bench, moments):
    """A moment has passed, and what it led to is done."""
    moments.looked.set()
    for _ in range(5):
        await asyncio.sleep(0)
    moments.looked.clear()
    while not bench.engine.idle:
        await asyncio.sleep(0)


async def ready(bench, completer, scripts):
    """The model is there, and has been asked elsewhere."""
    bench.scripts = [scripts(*[["x + y"]] * 5)]
    await completer.complete(at("def first(x, y):\n    return |\n"), Ask())


async def test_a_place_is_read_and_nothing_is_suggested_there(bench, completer, moments, scripts):
    await ready(bench, completer, scripts)
    completer.rests_at(RESTING)
    await looked(bench, moments)
    warm = bench.backends[0].requests[-1]
    assert warm.sampling.max_new_tokens == 1
    assert warm.healed == ""
    completion = await completer.complete(RESTING, Ask())
    assert completion.finish_reason == "stop", "what was only read is no answer"
    assert bench.backends[0].requests[-1].text == warm.text, "it is the prompt that was read"


async def test_where_something_was_asked_nothing_is_read(bench, completer, moments, scripts):
    await ready(bench, completer, scripts)
    await completer.complete(RESTING, Ask())
    completer.rests_at(RESTING)
    await looked(bench, moments)
    assert all(request.sampling.max_new_tokens > 1 for request in bench.backends[0].requests)


async def test_an_edit_meanwhile_ends_it(bench, completer, moments, scripts):
    await ready(bench, completer, scripts)
    completer.rests_at(RESTING)
    completer.changed(URI, lambda: RESTING.document)
    await looked(bench, moments)
    assert len(bench.backends[0].requests) == 1


async def test_nothing_is_read_that_may_not_be(bench, completer, moments, scripts):
    await ready(bench, completer, scripts)
    document = Document("file:///project/.env", "dotenv", "KEY=secret\n")
    completer.rests_at(document.at_offset(4))
    await looked(bench, moments)
    assert not any("secret" in request.text for request in bench.backends[0].requests)


async def test_behind_a_finished_line_what_comes_next_is_read(bench, completer, moments, scripts):
    await ready(bench, completer, scripts)
    completion = await completer.complete(at("def add(items):\n    other[0]|\n"), Ask())
    assert completion.dropped_by == "finished_line"
    await looked(bench, moments)
    assert bench.backends[0].requests[-1].sampling.max_new_tokens == 1
