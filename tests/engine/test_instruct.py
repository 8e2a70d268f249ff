"""Instructions give way to completions, and go on where they left."""

import asyncio

import pytest

from lsp_server.completion.instruct import INSTRUCT_FORMATS, Task
from lsp_server.engine.instruct import carry_out

EXPLAIN = Task("Explain the selection", "Explain.", "x = 1", needs_all=True)


@pytest.fixture
def asked(bench):
    bench.instruct = INSTRUCT_FORMATS["alpaca"]
    return bench


def ask(bench, heard=None, task=EXPLAIN, *, wanted=True):
    on_text = (lambda _text: None) if heard is None else heard.append
    return asyncio.ensure_future(
        carry_out(bench.engine, "instruction", task, on_text, deadline_s=30, is_wanted=lambda: wanted)
    )


async def test_the_answer_is_told_as_it_grows(asked):
    heard = []
    asked.scripts = [["It ", "", "sets ", "x."]]
    outcome = await ask(asked, heard)
    assert outcome.texts == ("It sets x.",)
    assert heard == ["It ", "It sets ", "It sets x."]
    assert asked.statuses[-1].instructs


async def test_a_model_that_was_not_tuned_says_so(bench):
    bench.scripts = [["It sets x."]]
    outcome = await ask(bench)
    assert outcome.finish_reason == "failed"
    assert outcome.error == "fake model was not tuned on instructions, so it cannot follow any."
    assert bench.backends[0].pulled == []
    assert not bench.statuses[-1].instructs


async def test_a_completion_goes_first_and_the_answer_goes_on(asked, job, gate):
    heard = []
    asked.scripts = [["It ", gate, "sets ", "x."]]
    answer = ask(asked, heard)
    await asyncio.to_thread(gate.reached.wait, 20)
    completion = asyncio.ensure_future(asked.engine.run(job("a")))
    await asyncio.sleep(0)
    gate.set()
    assert (await completion).texts == ("It sets x.",)
    assert not answer.done()
    outcome = await answer
    assert outcome.finish_reason == "stop"
    assert outcome.texts == ("It It sets x.",), "the script begins anew behind what was kept"
    assert asked.backends[0].requests[2].text.endswith("### Response:It ")
    assert heard[-1] == outcome.texts[0]


async def test_an_answer_that_gave_way_is_not_gone_on_with_when_nobody_wants_it(asked, job, gate):
    asked.scripts = [["It ", gate, "sets ", "x."]]
    answer = ask(asked, wanted=False)
    await asyncio.to_thread(gate.reached.wait, 20)
    completion = asyncio.ensure_future(asked.engine.run(job("a")))
    await asyncio.sleep(0)
    gate.set()
    assert (await answer).finish_reason == "superseded"
    assert (await completion).finish_reason == "stop"


async def test_a_newer_task_counts_more_than_a_completion_that_comes_first(asked, job, gate):
    asked.scripts = [["It ", gate, "sets ", "x."]]
    old = ask(asked)
    await asyncio.to_thread(gate.reached.wait, 20)
    completion = asyncio.ensure_future(asked.engine.run(job("a")))
    await asyncio.sleep(0)
    new = ask(asked)
    await asyncio.sleep(0)
    gate.set()
    assert (await old).finish_reason == "superseded"
    assert (await completion).finish_reason == "stop"
    assert (await new).texts == ("It sets x.",)


async def test_what_was_written_counts_against_the_longest_answer(asked, job, gate):
    asked.scripts = [["word " * 90, gate, "x"]]
    answer = ask(asked)
    await asyncio.to_thread(gate.reached.wait, 20)
    completion = asyncio.ensure_future(asked.engine.run(job("a")))
    await asyncio.sleep(0)
    gate.set()
    await completion
    await answer
    first, _, second = (request.sampling.max_new_tokens for request in asked.backends[0].requests)
    assert second < first - 90


async def test_a_newer_task_takes_the_place_of_the_older(asked, gate):
    asked.scripts = [["It ", gate, "sets ", "x."]]
    old = ask(asked)
    await asyncio.to_thread(gate.reached.wait, 20)
    new = ask(asked)
    await asyncio.sleep(0)
    gate.set()
    assert (await old).finish_reason == "superseded"
    assert (await new).finish_reason == "stop"


async def test_cancelling_stops_the_answer_at_its_next_piece(asked, gate):
    asked.scripts = [["It ", gate, "sets ", "x."]]
    answer = ask(asked)
    await asyncio.to_thread(gate.reached.wait, 20)
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer
    gate.set()
    assert await asyncio.to_thread(asked.engine.close, 20)
    assert asked.backends[0].pulled == ["It ", "sets "]


async def test_a_selection_that_is_too_long_is_refused_with_the_numbers(asked):
    asked.scripts = [["x"]]
    outcome = await ask(asked, task=Task("", "Explain.", "x = 1\n" * 2000, needs_all=True))
    assert outcome.finish_reason == "failed"
    assert "The selection is too long: fake model can be given about" in outcome.error
