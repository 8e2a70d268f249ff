"""What the user types while the model writes."""

import asyncio
from dataclasses import replace

import pytest

from lsp_server.completer import Completer
from lsp_server.completion.document import Document
from lsp_server.completion.trigger import Ask
from lsp_server.engine import flights
from lsp_server.settings import Settings

BEFORE = "def add(a, b):\n    return "
TYPED = Ask()


def at(typed, behind="\n"):
    before = BEFORE + typed
    return Document("file:///project/a.py", "python", before + behind).at_offset(len(before))


@pytest.fixture
def completer(bench, moments):
    return Completer(bench.engine, Settings(debounce_ms=0), moments)


@pytest.fixture
async def writing(bench, completer, gate):
    """A request whose model has written the first piece, and waits at the gate before the others."""
    bench.scripts = [["a ", gate, "+ b", "\n"]]
    request = asyncio.ensure_future(completer.complete(at(""), TYPED))
    assert await asyncio.to_thread(gate.reached.wait, 20)
    await asyncio.sleep(0)
    yield request
    gate.set()


def typed(completer, snapshot):
    """The editor tells of an edit."""
    completer.changed(snapshot.document.uri, lambda: snapshot.document)


def texts(completion):
    return [suggestion.text for suggestion in completion.suggestions]


async def test_what_is_typed_of_it_is_not_asked_for_again(bench, completer, gate, writing):
    typed(completer, at("a"))
    request = asyncio.ensure_future(completer.complete(at("a"), TYPED))
    assert (await writing).finish_reason == "superseded"
    gate.set()
    assert texts(await request) == [" + b"]
    assert len(bench.backends[0].requests) == 1


async def test_it_goes_on_while_the_editor_gives_up_one_request_for_the_next(bench, completer, gate, writing):
    typed(completer, at("a"))
    writing.cancel()
    await asyncio.wait([writing])
    request = asyncio.ensure_future(completer.complete(at("a"), TYPED))
    await asyncio.sleep(0)
    gate.set()
    assert texts(await request) == [" + b"]
    assert len(bench.backends[0].requests) == 1


async def test_what_it_comes_to_is_kept_if_only_its_request_was_given_up(
    bench, completer, gate, writing, monkeypatch
):
    monkeypatch.setattr(flights, "GRACE_S", 1000)
    typed(completer, at("a"))
    writing.cancel()
    await asyncio.wait([writing])
    gate.set()
    while any(flight.outcome is None for flight in completer._flights._flights.values()):
        await asyncio.sleep(0)
    completion = await completer.complete(at("a"), TYPED)
    assert (texts(completion), completion.finish_reason) == ([" + b"], "cached")
    assert len(bench.backends[0].requests) == 1


async def test_it_does_not_go_on_for_long_if_no_other_request_comes(
    idle, completer, gate, writing, monkeypatch
):
    monkeypatch.setattr(flights, "GRACE_S", 0)
    typed(completer, at("a"))
    writing.cancel()
    await asyncio.wait([writing])
    await asyncio.sleep(0)
    gate.set()
    assert await idle() == ["a ", "+ b"]


async def test_a_request_that_is_given_up_without_an_edit_stops_it(idle, gate, writing):
    writing.cancel()
    await asyncio.wait([writing])
    gate.set()
    assert await idle() == ["a ", "+ b"]


async def test_an_edit_alone_stops_nothing(completer, gate, writing):
    """The request is answered for the text that it was made for."""
    typed(completer, at("x"))
    gate.set()
    assert texts(await writing) == ["a + b"]


OTHERS = {"typed": at("x"), "deleted": at("", behind=""), "behind": at("a", behind="  \n")}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
async def test_a_request_after_any_other_edit_stops_it(bench, completer, gate, writing, other):
    typed(completer, other)
    request = asyncio.ensure_future(completer.complete(other, TYPED))
    assert (await writing).finish_reason == "superseded"
    gate.set()
    await request
    assert bench.backends[0].pulled[:3] == ["a ", "+ b", "a "]


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
async def test_a_request_that_is_given_up_after_any_other_edit_stops_it(
    idle, completer, gate, writing, other
):
    typed(completer, other)
    writing.cancel()
    await asyncio.wait([writing])
    gate.set()
    assert await idle() == ["a ", "+ b"]


async def test_a_request_after_the_settings_were_changed_is_answered_by_another_one(
    bench, completer, gate, writing
):
    completer.configure(replace(completer.settings, temperature=0.5))
    request = asyncio.ensure_future(completer.complete(at("a"), TYPED))
    assert (await writing).finish_reason == "superseded"
    gate.set()
    await request
    assert len(bench.backends[0].requests) == 2


async def test_a_cursor_elsewhere_is_answered_by_another_one(bench, completer, gate, writing):
    elsewhere = at("").document.at_offset(len("def add(a, b):"))
    request = asyncio.ensure_future(completer.complete(elsewhere, Ask(invoked=True)))
    await asyncio.sleep(0)
    gate.set()
    await request
    assert len(bench.backends[0].requests) == 2


async def test_of_several_candidates_those_are_left_that_begin_with_what_was_typed(
    bench, completer, gate, scripts
):
    bench.scripts = [scripts(["total"], ["t + b"], ["a + b", gate])]
    writing = asyncio.ensure_future(completer.complete(at(""), Ask(invoked=True, candidates=3)))
    assert await asyncio.to_thread(gate.reached.wait, 20)
    typed(completer, at("a"))
    request = asyncio.ensure_future(completer.complete(at("a"), TYPED))
    await asyncio.sleep(0)
    gate.set()
    assert texts(await request) == [" + b"]
    assert (await writing).finish_reason == "superseded"


async def test_what_still_reads_for_the_text_as_it_was_writes_no_more_than_a_token(bench, idle, gate):
    resting = asyncio.Event()
    completer = Completer(bench.engine, Settings(debounce_ms=75), lambda _seconds: resting.wait())
    bench.scripts = [["", gate, "a ", "+ b"]]
    resting.set()
    reading = asyncio.ensure_future(completer.complete(at(""), TYPED))
    assert await asyncio.to_thread(gate.reached.wait, 20)
    resting.clear()
    typed(completer, at("a"))
    request = asyncio.ensure_future(completer.complete(at("a"), TYPED))
    assert (await reading).finish_reason == "superseded"
    gate.set()
    assert await idle() == ["", "a "]
    resting.set()
    assert (await request).finish_reason == "stop"


async def test_when_all_of_it_was_typed_the_model_is_asked_for_more(bench, completer, gate):
    bench.scripts = [["a + b", gate]]
    writing = asyncio.ensure_future(completer.complete(at(""), TYPED))
    assert await asyncio.to_thread(gate.reached.wait, 20)
    request = asyncio.ensure_future(completer.complete(at("a + b"), TYPED))
    await asyncio.sleep(0)
    gate.set()
    await request
    await writing
    assert len(bench.backends[0].requests) == 2
