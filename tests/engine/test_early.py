"""A block that is still being written when its answer is due."""

import asyncio

import pytest

from lsp_server.completer import Completer
from lsp_server.completion.document import Document
from lsp_server.completion.trigger import Ask
from lsp_server.settings import Settings

BEFORE = "def add(a, b):\n    "
TYPED = Ask()
FIRST, SECOND = "total = a + b", "return total"


def at(typed, behind="\n", uri="file:///project/a.py"):
    before = BEFORE + typed
    return Document(uri, "python", before + behind).at_offset(len(before))


def texts(completion):
    return [suggestion.text for suggestion in completion.suggestions]


def typed(completer, snapshot):
    """The editor tells of an edit, and asks."""
    completer.changed(snapshot.document.uri, lambda: snapshot.document)
    return asyncio.ensure_future(completer.complete(snapshot, TYPED))


async def landed(completer):
    """Wait until what was written is kept."""
    while any(flight.outcome is None for flight in completer._flights._flights.values()):
        await asyncio.sleep(0)


@pytest.fixture
def completer(bench, moments):
    return Completer(bench.engine, Settings(debounce_ms=0, answer_within_ms=10_000), moments)


@pytest.fixture
async def due(bench, completer, moments, gate):
    """A request that was answered when it was due, while the model waits at the gate for the next line."""
    bench.scripts = [["total ", "= a + b\n", gate, "    return", " total"]]
    request = asyncio.ensure_future(completer.complete(at(""), TYPED))
    assert await asyncio.to_thread(gate.reached.wait, 20)
    assert not request.done()
    moments.due.set()
    yield await request
    gate.set()


async def test_a_block_is_answered_with_the_lines_that_are_complete(due):
    assert (texts(due), due.finish_reason) == ([FIRST], "partial")


async def test_the_first_line_is_given_as_soon_as_it_is_complete(
    bench, completer, moments, gate, second_gate
):
    bench.scripts = [["\n", "    total ", gate, "= a + b\n", second_gate, "    return total"]]
    moments.due.set()
    request = asyncio.ensure_future(completer.complete(at(""), TYPED))
    assert await asyncio.to_thread(gate.reached.wait, 20)
    assert not request.done()
    gate.set()
    assert texts(await request) == [FIRST]
    second_gate.set()


async def test_after_accepting_them_the_rest_is_waited_for(bench, completer, moments, gate, due):
    moments.due.clear()
    request = typed(completer, at(FIRST))
    await asyncio.sleep(0)
    gate.set()
    assert texts(await request) == ["\n    " + SECOND]
    assert len(bench.backends[0].requests) == 1


async def test_typing_into_them_is_answered_when_it_is_due(bench, completer, gate, due):
    part = await typed(completer, at("total"))
    assert (texts(part), part.finish_reason) == ([" = a + b"], "partial")
    assert len(bench.backends[0].requests) == 1


async def test_all_of_them_and_the_line_end_are_waited_for_too(bench, completer, gate, due):
    request = typed(completer, at(FIRST + "\n"))
    await asyncio.sleep(0)
    gate.set()
    assert texts(await request) == ["    " + SECOND]
    assert len(bench.backends[0].requests) == 1


async def test_what_is_written_behind_them_is_kept_though_nobody_waits(bench, completer, gate, due):
    gate.set()
    await landed(completer)
    rest = await typed(completer, at(FIRST))
    assert (texts(rest), rest.finish_reason) == (["\n    " + SECOND], "cached")
    assert len(bench.backends[0].requests) == 1


async def test_they_are_not_kept_in_place_of_the_whole(bench, completer, moments, gate, due):
    moments.due.clear()
    again = asyncio.ensure_future(completer.complete(at(""), TYPED))
    await asyncio.sleep(0)
    gate.set()
    whole = f"{FIRST}\n    {SECOND}"
    assert texts(await again) == [whole]
    kept = await completer.complete(at(""), TYPED)
    assert (texts(kept), kept.finish_reason) == ([whole], "cached")
    assert len(bench.backends[0].requests) == 1


async def test_typing_something_else_stops_it(bench, completer, gate, due, idle):
    typed(completer, at("x"))
    await asyncio.sleep(0)
    gate.set()
    await idle()
    assert bench.backends[0].pulled[:3] == ["total ", "= a + b\n", "    return"]
    assert bench.backends[0].pulled[3] != " total"


async def test_it_is_found_again_where_the_filters_changed_what_was_shown(bench, completer, moments, gate):
    bench.scripts = [["\n", "    total = a + b\n", gate, "    return total"]]
    moments.due.set()
    request = asyncio.ensure_future(completer.complete(at(""), TYPED))
    assert await asyncio.to_thread(gate.reached.wait, 20)
    assert texts(await request) == [FIRST]
    moments.due.clear()
    request = typed(completer, at(FIRST))
    await asyncio.sleep(0)
    gate.set()
    assert texts(await request) == ["\n    " + SECOND]
    assert len(bench.backends[0].requests) == 1


async def test_an_answer_from_the_cache_stops_it_only_where_something_else_was_typed(
    bench, completer, gate, scripts, moments
):
    bench.scripts = [scripts(["tal = 1"], [" = 2"], [FIRST + "\n", gate, "    return total"])]
    await completer.complete(at("to"), TYPED)
    await completer.complete(at("x"), TYPED)
    moments.due.set()
    assert texts(await completer.complete(at(""), TYPED)) == [FIRST]
    flight = completer._flights._flights[at("").document.uri]
    assert texts(await typed(completer, at("to"))) == ["tal = 1"]
    assert not flight.is_over
    assert texts(await typed(completer, at("x"))) == [" = 2"]
    assert flight.is_over
    gate.set()


UNHURRIED = {
    "a key press": (Settings(answer_within_ms=10_000), Ask(invoked=True)),
    "zero": (Settings(debounce_ms=0, answer_within_ms=0), TYPED),
}


@pytest.mark.parametrize(("settings", "ask"), UNHURRIED.values(), ids=UNHURRIED)
async def test_all_of_a_block_is_waited_for(bench, moments, gate, settings, ask):
    completer = Completer(bench.engine, settings, moments)
    moments.due.set()
    bench.scripts = [[FIRST + "\n", gate, "    return total"]]
    request = asyncio.ensure_future(completer.complete(at(""), ask))
    assert await asyncio.to_thread(gate.reached.wait, 20)
    gate.set()
    assert texts(await request) == [f"{FIRST}\n    {SECOND}"]


async def test_a_line_is_waited_for_to_its_end(bench, completer, moments, gate):
    bench.scripts = [["a ", gate, "+ b"]]
    moments.due.set()
    request = asyncio.ensure_future(completer.complete(at("return "), TYPED))
    assert await asyncio.to_thread(gate.reached.wait, 20)
    assert not request.done()
    gate.set()
    assert texts(await request) == ["a + b"]


async def test_what_was_written_is_counted_as_given_once_it_is_known(completer, gate, due):
    assert completer.statistics.tokens_given == 0
    gate.set()
    await landed(completer)
    await typed(completer, at(FIRST))
    assert completer.statistics.tokens_given == 4


async def test_the_rhythm_is_told_when_it_was_shown(completer, gate, due):
    flight = completer._flights._flights[at("").document.uri]
    gate.set()
    await landed(completer)
    assert list(completer._rhythm._answers) == [flight.first_shown_s]


async def test_a_closed_document_stops_it(completer, gate, due, idle):
    completer.forget(at("").document.uri)
    gate.set()
    assert await idle() == ["total ", "= a + b\n", "    return"]
