import asyncio
import weakref

import pytest

from lsp_server.backends.base import GenerationRequest
from lsp_server.engine import engine
from lsp_server.engine.job import Job, State
from lsp_server.errors import BackendError, DownloadError, EndpointError, ModelError, OutOfMemoryError
from lsp_server.settings import Settings


async def until(event):
    assert await asyncio.to_thread(event.wait, 20)


async def test_a_job_gives_the_text_of_its_pieces(bench, job):
    bench.scripts = [["ret", "", "urn 1"]]
    outcome = await bench.engine.run(job())
    assert outcome.texts == ("return 1",)
    assert outcome.finish_reason == "stop"
    assert outcome.usage.prompt_tokens == 10
    assert bench.engine.idle


async def test_what_was_asked_and_told_is_let_go_of_at_once(bench):
    """What a job calls knows it in turn: that circle would keep texts until the collector comes."""
    bench.scripts = [["x"]]

    def plan(_model):
        return (GenerationRequest(f"prompt of {work.key}"),)

    work = Job("a", plan)
    known = weakref.ref(plan)
    await bench.engine.run(work)
    del plan
    assert known() is None


async def test_each_candidate_is_asked_for_and_their_costs_are_added(bench, job):
    bench.scripts = [["x"]]
    outcome = await bench.engine.run(job(count=3))
    assert outcome.texts == ("x", "x", "x")
    assert outcome.usage.prompt_tokens == 30


async def test_the_states_are_told_in_order(bench, job, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_AFTER_S", 1000)
    bench.scripts = [["x"]]
    await bench.engine.run(job())
    assert bench.states == ["loading", "loading", "ready"]
    assert bench.engine.status.model == "fake model"


async def test_that_there_is_work_is_told_once_it_takes_a_while(bench, job, gate, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_AFTER_S", 0)
    bench.scripts = [["x", gate, "y"]]
    running = asyncio.ensure_future(bench.engine.run(job()))
    await until(gate.reached)
    assert bench.engine.status.state == State.BUSY
    while "busy" not in bench.states:
        await asyncio.sleep(0)
    gate.set()
    await running
    assert bench.states[2:] == ["ready", "busy", "ready"]


async def test_a_newer_job_stops_the_running_one_at_its_next_piece(bench, job, gate):
    bench.scripts = [["one", gate, "two", "three"]]
    old = asyncio.ensure_future(bench.engine.run(job()))
    await until(gate.reached)
    new = asyncio.ensure_future(bench.engine.run(job()))
    await asyncio.sleep(0)
    gate.set()
    assert (await old).finish_reason == "superseded"
    assert (await new).texts == ("onetwothree",)
    assert bench.backends[0].pulled[:2] == ["one", "two"]
    assert bench.backends[0].pulled[2] == "one", "the old job was not pulled any further"


async def test_cancelling_the_task_stops_the_model_at_its_next_piece(bench, job, gate):
    bench.scripts = [["one", gate, "two", "three"]]
    task = asyncio.ensure_future(bench.engine.run(job()))
    await until(gate.reached)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    bench.scripts = [["one"]]
    await bench.engine.run(job("b"))
    assert bench.backends[0].pulled[:2] == ["one", "two"]
    assert "three" not in bench.backends[0].pulled[:3]


async def test_documents_share_the_model_one_generation_at_a_time(bench, job):
    bench.scripts = [["a", "b", "c"]]
    outcomes = await asyncio.gather(*(bench.engine.run(job(key)) for key in "abcdef"))
    assert {outcome.texts for outcome in outcomes} == {("abc",)}
    assert bench.backends[0].most_running == 1


async def test_a_text_that_is_long_enough_is_stopped(bench, job):
    bench.scripts = [["one", "two", "three"]]
    outcome = await bench.engine.run(job(keep_going=lambda: lambda text: "two" not in text))
    assert outcome.texts == ("onetwo",)
    assert outcome.finish_reason == "stop"


async def test_a_prompt_that_the_vocabulary_cannot_spell_fails_with_its_own_sentence(bench):
    def plan(_model):
        raise ModelError("The model's vocabulary has no piece <fim_prefix>.")

    bench.scripts = [["x"]]
    outcome = await bench.engine.run(Job("a", plan))
    assert outcome.error == "The model's vocabulary has no piece <fim_prefix>."


@pytest.mark.parametrize("failure", [BackendError("The prompt is too long."), ZeroDivisionError("oops")])
async def test_a_failing_generation_costs_that_one_request(bench, job, failure):
    script = [failure]
    bench.scripts = [script]
    assert (await bench.engine.run(job())).finish_reason == "failed"
    script[:] = ["fine"]
    assert (await bench.engine.run(job())).texts == ("fine",)
    assert len(bench.backends) == 1


async def test_a_plan_that_fails_costs_that_one_request(bench, job):
    def plan(_model):
        raise ValueError("no such piece")

    bench.scripts = [["fine"]]
    assert (await bench.engine.run(Job("a", plan))).finish_reason == "failed"
    assert (await bench.engine.run(job())).texts == ("fine",)


async def test_running_out_of_memory_loads_the_model_anew_after_a_pause(bench, job):
    bench.scripts = [[OutOfMemoryError("Out of memory.")], ["fine"]]
    assert (await bench.engine.run(job())).error == "Out of memory."
    assert (await bench.engine.run(job())).error == "Out of memory.", "still in the pause"
    assert len(bench.backends) == 1
    bench.now += 60
    assert (await bench.engine.run(job())).texts == ("fine",)
    assert bench.backends[0].closed


async def test_a_model_that_cannot_be_loaded_is_an_error_until_the_next_try(bench, job):
    bench.scripts = [DownloadError("There is no network."), ["fine"]]
    outcome = await bench.engine.run(job())
    assert outcome.finish_reason == "failed"
    assert outcome.error == "There is no network."
    assert bench.engine.status.state is State.ERROR
    bench.now += 60
    assert (await bench.engine.run(job())).texts == ("fine",)
    assert bench.engine.status.state is State.READY


async def test_a_model_that_hangs_past_its_deadline_is_given_up_and_loaded_anew(bench, job, gate):
    bench.scripts = [[gate, "late"], ["fine"]]
    task = asyncio.ensure_future(bench.engine.run(job(deadline_s=0.01)))
    await until(gate.reached)
    bench.now += 1
    outcome = await task
    assert outcome.finish_reason == "failed"
    assert "no sign of life" in outcome.error
    assert (await bench.engine.run(job())).texts == ("fine",)
    gate.set()


async def test_changed_settings_of_the_model_load_another_one(bench, job):
    bench.scripts = [["one"], ["two"]]
    assert (await bench.engine.run(job())).texts == ("one",)
    bench.engine.configure(Settings(debounce_ms=1))
    assert (await bench.engine.run(job())).texts == ("one",)
    bench.engine.configure(Settings(model="other.gguf"))
    assert (await bench.engine.run(job())).texts == ("two",)
    assert bench.backends[0].closed


async def test_closing_stops_the_running_job_and_ends_the_thread(bench, job, gate):
    bench.scripts = [["one", gate, "two"]]
    task = asyncio.ensure_future(bench.engine.run(job()))
    await until(gate.reached)
    gate.set()
    assert await asyncio.to_thread(bench.engine.close, 20)
    assert (await task).finish_reason in {"cancelled", "stop"}
    assert (await bench.engine.run(job())).finish_reason == "cancelled"
    assert bench.backends[0].closed


async def test_a_model_that_hangs_on_a_cancelled_job_is_given_up_by_the_next(bench, job, gate):
    bench.scripts = [[gate, "late"], ["fine"]]
    cancelled = asyncio.ensure_future(bench.engine.run(job()))
    await until(gate.reached)
    cancelled.cancel()
    waiting = asyncio.ensure_future(bench.engine.run(job("b", deadline_s=0.01)))
    bench.now += 1
    assert (await waiting).texts == ("fine",)
    gate.set()


async def test_a_model_that_hangs_again_is_loaded_after_a_pause_only(bench, job, gate, second_gate):
    gates = [gate, second_gate]
    bench.scripts = [[gates[0]], [gates[1]], ["fine"]]
    for each in gates:
        task = asyncio.ensure_future(bench.engine.run(job(deadline_s=0.01)))
        await until(each.reached)
        bench.now += 1
        assert (await task).finish_reason == "failed"
    assert (await bench.engine.run(job())).finish_reason == "failed"
    assert len(bench.backends) == 2
    bench.now += 10
    assert (await bench.engine.run(job())).texts == ("fine",)
    for each in gates:
        each.set()


async def test_a_backend_that_fails_to_close_does_not_take_the_worker_with_it(bench, job):
    bench.scripts = [["one"], ["two"]]
    await bench.engine.run(job())
    bench.backends[0].close = lambda: 1 / 0
    bench.engine.configure(Settings(model="other.gguf"))
    assert (await bench.engine.run(job())).texts == ("two",)


async def test_each_text_has_its_own_reason(bench, job):
    bench.scripts = [["x"]]
    outcome = await bench.engine.run(job(count=2))
    assert outcome.reasons == ("stop", "stop")


async def test_an_engine_that_comes_up_late_is_looked_for_every_few_seconds(bench, job):
    bench.scripts = [*[EndpointError("The engine cannot be reached.")] * 12, ["fine"]]
    for _ in range(12):
        assert (await bench.engine.run(job())).finish_reason == "failed"
        bench.now += 10
    assert (await bench.engine.run(job())).texts == ("fine",)
