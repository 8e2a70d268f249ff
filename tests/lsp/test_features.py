import pytest

from lsp_server.completion.item import Completion, Stage, Suggestion, Timings, Usage
from lsp_server.engine.job import State, Status
from lsp_server.lsp.documents import LONGEST_LINE
from lsp_server.lsp.options import Layers

OTHER = "file:///project/b.py"
GHOSTS = {"textDocument": {"inlineCompletion": {}}}
FAILED = Completion(finish_reason="failed", stages=(Stage("end", "The model is gone."),), id="c2")


def change(start, end, text):
    (line, character), (last, column) = start, end
    place = {"start": {"line": line, "character": character}, "end": {"line": last, "character": column}}
    return {"range": place, "text": text}


def messages(wire):
    return [(each["params"]["type"], each["params"]["message"]) for each in wire.sent("window/showMessage")]


def states(wire):
    return [each["params"]["state"] for each in wire.sent("fim-ls/status")]


async def test_what_is_answered_is_announced(wire):
    capabilities = await wire.initialize(**GHOSTS)
    assert capabilities["inlineCompletionProvider"] == {}
    assert capabilities["textDocumentSync"]["openClose"]
    assert capabilities["textDocumentSync"]["change"] == 2
    assert "completionProvider" not in capabilities
    commands = capabilities["executeCommandProvider"]["commands"]
    assert commands == ["fim-ls.accepted", "fim-ls.status", "fim-ls.toggle", "fim-ls.explain"]


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [(["utf-8", "utf-16"], "utf-8"), (["utf-32"], "utf-32"), (["utf-7"], "utf-16"), (None, "utf-16")],
)
async def test_the_position_encoding_is_what_the_client_likes_best(wire, offered, agreed):
    capabilities = await wire.initialize(general={"positionEncodings": offered} if offered else None)
    assert capabilities["positionEncoding"] == agreed


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 9), ("utf-16", 6), ("utf-32", 5)])
async def test_positions_are_read_and_written_in_the_agreed_encoding(wire, encoding, character):
    await wire.initialize(general={"positionEncodings": [encoding]})
    await wire.open('"😀é" + 1')
    (item,) = await wire.ghost(0, character)
    assert wire.seen() == '"😀é" |+ 1'
    assert item["range"]["start"]["character"] == character


async def test_a_suggestion_is_ghost_text_at_the_cursor(wire):
    await wire.initialize()
    await wire.open("def add(a, b):\n    return ")
    (item,) = await wire.ghost(1, 11)
    place = {"line": 1, "character": 11}
    assert item == {
        "insertText": "a + b",
        "range": {"start": place, "end": place},
        "command": {"title": "Suggestion accepted", "command": "fim-ls.accepted", "arguments": ["c1", 0]},
    }


async def test_edits_are_followed_while_a_model_answers(wire):
    await wire.initialize()
    await wire.open("def f():\r\n    pass\r\n")
    await wire.change(change((1, 4), (1, 8), "return "), change((0, 4), (0, 5), "g"))
    await wire.ghost(1, 11)
    assert wire.seen() == "def g():\n    return |\n"
    assert wire.completer.asked[-1][0].document.version == 2


async def test_an_edit_below_a_form_feed_does_not_corrupt_the_text(wire):
    await wire.initialize()
    await wire.open("a\fb\x85c\u2028d\nsecond\n")
    await wire.change(change((1, 0), (1, 6), "SECOND"))
    await wire.ghost(1, 6)
    assert wire.seen() == "a\fb\x85c\u2028d\nSECOND|\n"


async def test_typing_asks_for_one_suggestion_and_a_key_for_several(wire):
    await wire.initialize({"candidates": 2})
    await wire.open("x = ")
    await wire.ghost(0, 4, trigger=2)
    await wire.ghost(0, 4, trigger=1)
    (_, typed), (_, invoked) = wire.completer.asked
    assert (typed.invoked, typed.candidates) == (False, 1)
    assert (invoked.invoked, invoked.candidates) == (True, 2)


async def test_the_item_selected_in_the_editors_list_is_honoured(wire, completer):
    await wire.initialize()
    await wire.open("pri")
    completer.answer = Completion((Suggestion("print(x)", replaces_before=3),), id="c1")
    span = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 3}}
    (item,) = await wire.ghost(0, 3, selected={"range": span, "text": "print"})
    _, ask = completer.asked[-1]
    assert (ask.selected, ask.selected_length) == ("print", 3)
    assert (item["insertText"], item["range"]) == ("print(x)", span)


async def test_a_document_that_was_never_opened_gets_nothing(wire, completer):
    await wire.initialize()
    assert await wire.ghost(0, 0, uri=OTHER) is None
    assert completer.asked == []


async def test_a_document_without_a_file_is_served(wire):
    await wire.initialize()
    await wire.open("x = ", uri="untitled:Untitled-1")
    assert await wire.ghost(0, 4, uri="untitled:Untitled-1")


async def test_a_closed_document_gets_nothing_and_is_forgotten(wire, completer):
    await wire.initialize()
    await wire.open("x = ")
    await wire.notify("textDocument/didClose", {"textDocument": {"uri": "file:///project/a.py"}})
    assert await wire.ghost(0, 4) is None
    assert completer.forgotten == ["file:///project/a.py"]


async def test_a_document_that_is_too_large_gets_nothing_and_is_named_once(wire, completer, caplog):
    caplog.set_level("INFO")
    await wire.initialize()
    await wire.open("x" * (LONGEST_LINE + 1))
    for _ in range(3):
        assert await wire.ghost(0, 4) is None
    assert completer.asked == []
    assert caplog.text.count("too large") == 1


@pytest.mark.parametrize("reason", ["superseded", "cancelled", "skipped", "failed", "stop"])
async def test_an_answer_without_a_suggestion_is_null(wire, completer, reason):
    await wire.initialize()
    await wire.open("x = ")
    completer.answer = Completion(finish_reason=reason, stages=(Stage("end", reason),))
    assert await wire.ghost(0, 4) is None


async def test_failures_in_a_row_are_shown_once(wire, completer):
    await wire.initialize()
    await wire.open("x = ")
    good = completer.answer
    for answer in (FAILED, FAILED, good, FAILED):
        completer.answer = answer
        await wire.ghost(0, 4)
    assert messages(wire) == [(1, "The model is gone."), (1, "The model is gone.")]


async def test_a_client_without_ghost_text_gets_an_ordinary_completion(wire):
    capabilities = await wire.initialize()
    assert "." in capabilities["completionProvider"]["triggerCharacters"]
    await wire.open("def add(a, b):\n    ret")
    wire.completer.answer = Completion((Suggestion("urn a + b"),), id="c1")
    found = await wire.complete(1, 7)
    (item,) = found["items"]
    assert found["isIncomplete"]
    assert item["label"] == "return a + b"
    assert item["textEdit"]["newText"] == "return a + b"
    assert item["textEdit"]["range"]["start"] == {"line": 1, "character": 4}
    assert item["command"]["arguments"] == ["c1", 0]
    assert not wire.completer.asked[-1][1].invoked


@pytest.mark.parametrize(
    ("fallback", "capabilities", "offered"),
    [("auto", GHOSTS, False), ("auto", {}, True), ("on", GHOSTS, True), ("off", {}, False)],
)
async def test_the_fallback_is_announced_only_where_it_is_wanted(wire, fallback, capabilities, offered):
    announced = await wire.initialize({"completionFallback": fallback}, **capabilities)
    assert ("completionProvider" in announced) is offered


async def test_the_fallback_can_be_switched_off_and_on_again(wire):
    await wire.initialize()
    await wire.open("x = ")
    for fallback, count in (("off", 0), ("on", 1)):
        settings = {"fim-ls": {"completionFallback": fallback}}
        await wire.notify("workspace/didChangeConfiguration", {"settings": settings})
        assert len((await wire.complete(0, 4))["items"]) == count


async def test_a_fallback_that_is_wanted_later_is_registered(wire):
    text = {"inlineCompletion": {}, "completion": {"dynamicRegistration": True}}
    await wire.initialize(textDocument=text)
    for _ in range(2):
        settings = {"fim-ls": {"completionFallback": "on"}}
        await wire.notify("workspace/didChangeConfiguration", {"settings": settings})
    (registration,) = wire.sent("client/registerCapability")
    assert registration["params"]["registrations"][0]["method"] == "textDocument/completion"
    await wire.answer("client/registerCapability", None)
    await wire.open("x = ")
    assert (await wire.complete(0, 4))["items"]


async def test_a_neovim_gets_no_carriage_returns(wire, completer):
    await wire.initialize(name="Neovim")
    completer.answer = Completion((Suggestion("a\nb"),))
    await wire.open("x\r\n")
    (item,) = await wire.ghost(1, 0)
    assert item["insertText"] == "a\nb"


async def test_the_model_is_loaded_only_once_the_settings_are_known(wire, completer):
    await wire.initialize(workspace={"configuration": True})
    assert completer.started == 0
    (question,) = wire.sent("workspace/configuration")
    assert question["params"]["items"] == [{"section": "fim-ls"}]
    await wire.answer("workspace/configuration", [{"maxNewTokens": 7}])
    assert completer.settings.max_new_tokens == 7
    assert completer.started == 1


@pytest.mark.parametrize("answer", [[None], [], [{}], [7], None])
async def test_most_editors_have_no_settings_for_us(wire, completer, answer):
    await wire.initialize({"maxNewTokens": 7}, workspace={"configuration": True})
    await wire.answer("workspace/configuration", answer)
    assert completer.started == 1
    assert completer.settings.max_new_tokens == 7
    assert messages(wire) == []


async def test_an_editor_that_refuses_to_tell_its_settings_is_served_all_the_same(wire, completer):
    await wire.initialize(workspace={"configuration": True})
    question = wire.sent("workspace/configuration")[-1]
    await wire.send(id=question["id"], error={"code": -32601, "message": "no"})
    assert completer.started == 1


async def test_an_editor_that_does_not_answer_such_questions_is_not_asked(wire, completer):
    await wire.initialize()
    await wire.notify("workspace/didChangeConfiguration", {"settings": None})
    assert wire.sent("workspace/configuration") == []
    assert completer.started == 1


@pytest.mark.parametrize("settings", [{"fim-ls": {"maxNewTokens": 9}}, {"maxNewTokens": 9}])
async def test_pushed_settings_hold_at_once(wire, completer, settings):
    await wire.initialize()
    await wire.notify("workspace/didChangeConfiguration", {"settings": settings})
    assert completer.settings.max_new_tokens == 9


async def test_a_change_without_settings_is_asked_about(wire, completer):
    await wire.initialize(workspace={"configuration": True})
    await wire.answer("workspace/configuration", [None])
    await wire.notify("workspace/didChangeConfiguration", {"settings": {"python": {"x": 1}}})
    await wire.answer("workspace/configuration", [{"maxNewTokens": 9}])
    assert completer.settings.max_new_tokens == 9


async def test_the_editor_is_asked_to_report_changed_settings(wire):
    await wire.initialize(workspace={"didChangeConfiguration": {"dynamicRegistration": True}})
    (registration,) = wire.sent("client/registerCapability")
    assert registration["params"]["registrations"][0]["method"] == "workspace/didChangeConfiguration"


async def test_each_wrong_setting_is_shown_once(wire, completer):
    wrong = {"debounceMs": "soon", "nonsense": 1, "maxNewTokens": 5}
    await wire.initialize(wrong)
    await wire.notify("workspace/didChangeConfiguration", {"settings": {"fim-ls": wrong}})
    shown = messages(wire)
    assert [kind for kind, _ in shown] == [2, 2]
    assert "debounceMs" in shown[0][1]
    assert "nonsense" in shown[1][1]
    assert completer.settings.max_new_tokens == 5


async def test_the_projects_own_file_narrows(wire, completer, tmp_path):
    (tmp_path / ".fim-ls.toml").write_text('disabledLanguages = ["markdown"]\nmodel = "theirs"')
    params = {"processId": None, "rootUri": tmp_path.as_uri(), "capabilities": {}}
    await wire.request("initialize", params)
    assert completer.settings.disabled_languages == ("markdown",)
    assert completer.settings.model != "theirs"
    assert len(messages(wire)) == 1


async def test_the_first_folder_is_the_project_where_no_root_is_named(wire, completer, tmp_path):
    (tmp_path / ".fim-ls.toml").write_text("enabled = false")
    folder = {"uri": tmp_path.as_uri(), "name": "a"}
    params = {"processId": None, "rootUri": None, "workspaceFolders": [folder], "capabilities": {}}
    await wire.request("initialize", params)
    assert not completer.settings.enabled


async def test_toggle_switches_off_and_on_and_outlives_other_changes(wire, completer):
    await wire.initialize()
    assert await wire.execute("fim-ls.toggle") == {"enabled": False}
    await wire.notify("workspace/didChangeConfiguration", {"settings": {"fim-ls": {"maxNewTokens": 9}}})
    assert (completer.settings.enabled, completer.settings.max_new_tokens) == (False, 9)
    assert await wire.execute("fim-ls.toggle", "whatever", 1) == {"enabled": True}


@pytest.mark.parametrize("layers", [Layers(command_line={"enabled": False})])
async def test_toggle_has_the_last_word(wire, completer):
    await wire.initialize({"enabled": True})
    assert not completer.settings.enabled
    assert await wire.execute("fim-ls.toggle") == {"enabled": True}


async def test_what_becomes_of_a_suggestion_is_told_to_the_completer(wire, completer):
    await wire.initialize()
    await wire.open("x = ")
    (item,) = await wire.ghost(0, 4)
    await wire.notify("textDocument/didShowCompletion", {"item": item})
    await wire.notify("textDocument/didPartiallyAcceptCompletion", {"item": item, "acceptedLength": 3})
    await wire.execute(item["command"]["command"], *item["command"]["arguments"])
    assert completer.told == [("shown", "c1"), ("partially accepted", "c1", 3), ("accepted", "c1")]


async def test_explain_tells_why_without_the_text(wire, completer):
    await wire.initialize()
    await wire.open("x = ")
    completer.answer = Completion(
        finish_reason="stop",
        dropped_by="drop_empty",
        usage=Usage(10, 4, 2),
        timings=Timings(1, 2, 3, 6),
        stages=(Stage("trigger", "one line"),),
    )
    assert await wire.execute("fim-ls.explain", "file:///project/a.py") is None
    await wire.ghost(0, 4)
    assert await wire.execute("fim-ls.explain", "file:///project/a.py") == {
        "finishReason": "stop",
        "droppedBy": "drop_empty",
        "usage": {"promptTokens": 10, "cachedTokens": 4, "completionTokens": 2},
        "timings": {"queue": 1, "prefill": 2, "decode": 3, "total": 6},
        "stages": [{"name": "trigger", "outcome": "one line"}],
    }
    assert await wire.execute("fim-ls.explain") is None


async def test_the_status_is_told_when_it_changes_and_when_it_is_asked_for(wire, completer):
    await wire.initialize()
    for state in (State.BUSY, State.BUSY, State.READY):
        completer.publish(Status(state, "fake model", "cpu"))
    assert states(wire) == ["ready", "busy", "ready"]
    told = wire.sent("fim-ls/status")[-1]["params"]
    assert told == {"state": "ready", "model": "fake model", "device": "cpu", "message": ""}
    assert await wire.execute("fim-ls.status") == told


async def test_a_model_that_cannot_be_loaded_is_shown_once(wire, completer):
    await wire.initialize()
    await wire.open("x = ")
    for _ in range(2):
        completer.publish(Status(State.ERROR, message="The model is gone."))
    completer.answer = FAILED
    await wire.ghost(0, 4)
    assert messages(wire) == [(1, "The model is gone.")]
    assert states(wire) == ["ready", "error"]


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
