from lsp_server.completion.fim import FORMATS
from lsp_server.completion.item import Completion, Stage
from lsp_server.engine.job import State, Status
from lsp_server.models.identity import Identity

FAILED = Completion(finish_reason="failed", stages=(Stage("end", "The model is gone."),), id="c2")


async def test_failures_in_a_row_are_shown_once(wire, completer):
    await wire.initialize()
    await wire.open("x = ")
    good = completer.answer
    for answer in (FAILED, FAILED, good, FAILED):
        completer.answer = answer
        await wire.ghost(0, 4)
    assert wire.messages() == [(1, "The model is gone."), (1, "The model is gone.")]


async def test_the_status_is_told_when_it_changes_and_when_it_is_asked_for(wire, completer):
    await wire.initialize()
    for state in (State.BUSY, State.BUSY, State.READY):
        completer.publish(Status(state, "fake model", "cpu"))
        await wire.settle()
    assert wire.states() == ["ready", "busy", "ready"]
    told = wire.sent("fim-ls/status")[-1]["params"]
    assert told == {"state": "ready", "model": "fake model", "device": "cpu", "message": ""}
    tokens = {"read": 0, "written": 0, "given": 0}
    counts = {"shown": 3, "accepted": 2, "acceptedInPart": 40, "tokens": tokens}
    assert await wire.execute("fim-ls.status") == told | {"statistics": counts}


async def test_the_memory_of_a_model_is_told_where_it_was_measured(wire, completer):
    await wire.initialize()
    completer.publish(Status(State.READY, "fake model", "cpu", memory_bytes=32_251_330_000))
    completer.publish(Status(State.READY, "another model", "cpu"))
    *_, measured, unknown = [each["params"] for each in wire.sent("fim-ls/status")]
    assert measured["memoryBytes"] == 32_251_330_000
    assert "memoryBytes" not in unknown


async def test_a_model_that_cannot_be_loaded_is_shown_once(wire, completer):
    await wire.initialize()
    await wire.open("x = ")
    for _ in range(2):
        completer.publish(Status(State.ERROR, message="The model is gone."))
    completer.answer = FAILED
    await wire.ghost(0, 4)
    assert wire.messages() == [(1, "The model is gone.")]
    assert wire.states() == ["ready", "error"]


async def test_loading_is_drawn_as_progress(wire, completer):
    completer.status = Status(State.LOADING, "fake model", progress=0.0)
    await wire.initialize(window={"workDoneProgress": True})
    (create,) = wire.sent("window/workDoneProgress/create")
    await wire.answer("window/workDoneProgress/create", None)
    for share in (0.25, 0.251, 1.0):
        completer.publish(Status(State.LOADING, "fake model", message="Downloading", progress=share))
        await wire.settle()
    completer.publish(Status(State.READY, "fake model"))
    await wire.settle()
    drawn = [each["params"] for each in wire.sent("$/progress")]
    assert {each["token"] for each in drawn} == {create["params"]["token"]}
    assert [each["value"]["kind"] for each in drawn] == ["begin", "report", "report", "end"]
    assert [each["value"].get("percentage") for each in drawn] == [0, 25, 100, None]
    assert "fake model" in drawn[0]["value"]["title"]


async def test_each_loading_is_drawn_under_a_token_of_its_own(wire, completer):
    await wire.initialize(window={"workDoneProgress": True})
    for _ in range(2):
        completer.publish(Status(State.LOADING))
        await wire.settle()
        await wire.answer("window/workDoneProgress/create", None)
        completer.publish(Status(State.READY))
        await wire.settle()
    tokens = [each["params"]["token"] for each in wire.sent("window/workDoneProgress/create")]
    assert len(set(tokens)) == len(tokens) == 2


async def test_a_client_that_refuses_progress_is_not_asked_again(wire, completer):
    completer.status = Status(State.LOADING)
    await wire.initialize(window={"workDoneProgress": True})
    (create,) = wire.sent("window/workDoneProgress/create")
    await wire.send(id=create["id"], error={"code": -32601, "message": "no"})
    completer.publish(Status(State.LOADING, progress=0.5))
    await wire.settle()
    assert len(wire.sent("window/workDoneProgress/create")) == 1
    assert wire.sent("$/progress") == []


async def test_a_client_that_draws_no_progress_is_not_bothered(wire, completer):
    completer.status = Status(State.LOADING)
    await wire.initialize()
    assert wire.sent("window/workDoneProgress/create") == []


async def test_a_client_that_left_is_told_nothing(wire, completer):
    await wire.initialize()
    await wire.server.close()
    tell = wire.server.status.tell
    before = len(wire.received)
    tell(Status(State.ERROR, message="late"))
    assert completer.listeners == []
    assert len(wire.received) == before


async def test_how_the_model_is_asked_is_told_once_it_is_known(wire, completer):
    await wire.initialize()
    identity = Identity(FORMATS["starcoder2"], "config", "It has the architecture of StarCoder2.")
    completer.publish(Status(State.READY, "fake model", "cpu", identity=identity))
    told = wire.sent("fim-ls/status")[-1]["params"]
    assert told["format"] == {
        "name": "starcoder2",
        "knownBy": "config",
        "reason": "It has the architecture of StarCoder2.",
    }
