"""What comes after a suggestion is asked for while the user looks at it."""

import asyncio
from dataclasses import replace

import pytest

from lsp_server.completer import Completer
from lsp_server.completion.document import Document
from lsp_server.completion.trigger import Ask
from lsp_server.engine.job import YIELDED, Status
from lsp_server.settings import Settings

BEFORE = "def add(a, b):\n    return "
URI = "file:///project/a.py"
TYPED = Ask()


def at(typed, behind="\n", uri=URI):
    before = BEFORE + typed
    return Document(uri, "python", before + behind).at_offset(len(before))


def texts(completion):
    return [suggestion.text for suggestion in completion.suggestions]


@pytest.fixture
def completer(bench, moments):
    return Completer(bench.engine, Settings(debounce_ms=0), moments)


def edit(completer, snapshot):
    """The editor tells of an edit."""
    completer.changed(snapshot.document.uri, lambda: snapshot.document)


async def landed(completer):
    """Wait until what was written is kept."""
    while any(flight.outcome is None for flight in completer._flights._flights.values()):
        await asyncio.sleep(0)


async def looked(moments):
    """The user has looked for a moment."""
    moments.looked.set()
    for _ in range(5):
        await asyncio.sleep(0)
    moments.looked.clear()


@pytest.fixture
async def ahead(bench, completer, moments, gate, scripts):
    """The user has looked at "a + b", and the model has written a piece of what comes after it."""
    bench.scripts = [scripts(["a + b"], [" + c", gate, " + d", " + e"])]
    assert texts(await completer.complete(at(""), TYPED)) == ["a + b"]
    await looked(moments)
    assert await asyncio.to_thread(gate.reached.wait, 20)
    yield completer._flights._flights[URI]
    gate.set()


async def test_what_comes_after_is_there_when_the_suggestion_is_accepted(bench, completer, gate, ahead):
    gate.set()
    await landed(completer)
    edit(completer, at("a + b"))
    completion = await completer.complete(at("a + b"), TYPED)
    assert (texts(completion), completion.finish_reason) == ([" + c + d + e"], "cached")
    assert len(bench.backends[0].requests) == 2


async def test_what_is_still_being_written_is_waited_for(bench, completer, gate, ahead):
    edit(completer, at("a + b"))
    request = asyncio.ensure_future(completer.complete(at("a + b"), TYPED))
    await asyncio.sleep(0)
    assert not ahead.job.patient
    gate.set()
    assert texts(await request) == [" + c + d + e"]
    assert len(bench.backends[0].requests) == 2


async def test_what_is_not_yet_begun_is_waited_for_too(bench, completer, moments, gate, scripts):
    bench.scripts = [scripts(["a + b"], ["", gate, " + c"])]
    await completer.complete(at(""), TYPED)
    await looked(moments)
    assert await asyncio.to_thread(gate.reached.wait, 20)
    edit(completer, at("a + b"))
    request = asyncio.ensure_future(completer.complete(at("a + b"), TYPED))
    await asyncio.sleep(0)
    gate.set()
    assert texts(await request) == [" + c"]
    assert len(bench.backends[0].requests) == 2


async def test_if_it_just_gave_way_the_model_is_asked_anew(bench, completer, gate, ahead):
    request = asyncio.ensure_future(completer.complete(at("a + b"), TYPED))
    await asyncio.sleep(0)
    ahead.job.leave(YIELDED)
    gate.set()
    assert texts(await request) == ["x"]
    assert len(bench.backends[0].requests) == 3


async def test_it_goes_on_while_the_suggestion_is_typed(completer, gate, ahead):
    for typed in ["a", "a +", "a + b"]:
        edit(completer, at(typed))
        rest = await completer.complete(at(typed), TYPED) if typed != "a + b" else None
        assert rest is None or rest.finish_reason == "cached"
        assert not ahead.is_over


async def test_what_replaces_closers_leads_to_where_they_stand_once(bench, completer, moments, scripts):
    bench.scripts = [scripts(["a, b)"], [" + c"])]
    await completer.complete(at("sum(", ")\n"), TYPED)
    await looked(moments)
    await landed(completer)
    completion = await completer.complete(at("sum(a, b)"), TYPED)
    assert (texts(completion), completion.finish_reason) == ([" + c"], "cached")


OTHERS = {"typed": at("x"), "behind": at("a", "  \n"), "less": at("", "")}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
async def test_any_other_edit_ends_it(completer, ahead, other):
    edit(completer, other)
    assert ahead.is_over


async def test_a_request_elsewhere_ends_it(bench, completer, moments, gate, scripts):
    elsewhere = at("").document.at_offset(len("def add(a, b):"))
    bench.scripts = [scripts(["x = 1"], ["a + b"], [" + c", gate, " + d"])]
    await completer.complete(elsewhere, TYPED)
    await completer.complete(at(""), TYPED)
    await looked(moments)
    assert await asyncio.to_thread(gate.reached.wait, 20)
    flight = completer._flights._flights[URI]
    assert (await completer.complete(elsewhere, TYPED)).finish_reason == "cached"
    assert flight.is_over
    gate.set()


async def test_closing_the_document_ends_it(completer, ahead):
    completer.forget(URI)
    assert ahead.is_over


async def test_it_gives_way_to_any_other_document(bench, completer, gate, ahead):
    request = asyncio.ensure_future(completer.complete(at("", uri="file:///project/b.py"), TYPED))
    for _ in range(5):
        await asyncio.sleep(0)
    assert ahead.is_over
    gate.set()
    assert texts(await request) == ["x"]
    assert " + e" not in bench.backends[0].pulled


HAPPENED = {
    "an edit": lambda completer: edit(completer, at("x")),
    "closing": lambda completer: completer.forget(URI),
    "switching off": lambda completer: completer.configure(replace(completer.settings, enabled=False)),
}


@pytest.mark.parametrize("happens", HAPPENED.values(), ids=HAPPENED)
async def test_nothing_is_asked_if_something_happens_before_the_moment_is_over(
    bench, completer, moments, idle, happens
):
    bench.scripts = [["a + b"]]
    await completer.complete(at(""), TYPED)
    happens(completer)
    await looked(moments)
    await idle()
    assert len(bench.backends[0].requests) == 1


LEFT_ALONE = {"nothing was suggested": [" "], "there one would not be asked": ["[a]"]}


@pytest.mark.parametrize("script", LEFT_ALONE.values(), ids=LEFT_ALONE)
async def test_nothing_is_asked_where_it_would_not_be_shown(bench, completer, moments, idle, script):
    bench.scripts = [script]
    await completer.complete(at(""), TYPED)
    await looked(moments)
    await idle()
    assert len(bench.backends[0].requests) == 1


async def test_a_model_behind_an_address_is_not_asked(bench, completer, moments, idle, monkeypatch):
    monkeypatch.setattr(Status, "is_remote", True)
    bench.scripts = [["a + b"]]
    await completer.complete(at(""), TYPED)
    await looked(moments)
    await idle()
    assert len(bench.backends[0].requests) == 1


@pytest.mark.parametrize("device", ["http://127.0.0.1:8000/v1", "cpu", "cuda:0", "mps"])
def test_an_address_is_told_from_a_device(device):
    assert Status("ready", device=device).is_remote == device.startswith("http")


async def test_a_model_that_works_for_another_document_is_not_asked(bench, completer, moments, gate, scripts):
    bench.scripts = [scripts(["a + b"], [gate, "x"])]
    await completer.complete(at(""), TYPED)
    other = asyncio.ensure_future(completer.complete(at("", uri="file:///project/b.py"), TYPED))
    assert await asyncio.to_thread(gate.reached.wait, 20)
    await looked(moments)
    gate.set()
    await other
    assert len(bench.backends[0].requests) == 2


async def test_it_is_asked_for_once(bench, completer, gate, moments, ahead):
    gate.set()
    await landed(completer)
    assert (await completer.complete(at(""), TYPED)).finish_reason == "cached"
    await looked(moments)
    await landed(completer)
    assert len(bench.backends[0].requests) == 2


async def test_what_it_took_is_counted_and_is_given_only_if_it_is_shown(completer, gate, ahead):
    gate.set()
    await landed(completer)
    written = completer.statistics.tokens_written
    assert (completer.statistics.tokens_given, written) == (1, 5)
    await completer.complete(at("a + b"), TYPED)
    assert completer.statistics.tokens_given > 1
    assert completer.statistics.tokens_written == written
