"""Code actions, and the command behind them, with a model that is tuned on instructions."""

import asyncio

import pytest

from lsp_server.engine.job import Outcome, State, Status

URI = "file:///project/a.py"
TUNED = Status(State.READY, "fake model", "cpu", instructs=True)
EDITOR = {
    "workspace": {"applyEdit": True},
    "window": {"workDoneProgress": True},
    "textDocument": {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}},
}
CODE = "def add(a, b):\n    return a + b\n"
COMMENT = "def f():\n    # add two numbers\n"


def span(line, character, last, column):
    return {"start": {"line": line, "character": character}, "end": {"line": last, "character": column}}


@pytest.fixture
async def tuned(wire, completer):
    completer.status = TUNED
    await wire.initialize(**EDITOR)
    return wire


async def actions(wire, where, only=None):
    context = {"diagnostics": [], **({} if only is None else {"only": only})}
    params = {"textDocument": {"uri": URI}, "range": where, "context": context}
    return (await wire.request("textDocument/codeAction", params))["result"]


async def begin(wire, action, where, **more):
    params = {"command": "fim-ls.instruct", "arguments": [action, URI, where], **more}
    return await wire.begin("workspace/executeCommand", params)


async def execute(wire, action, where, token="t"):
    return wire.reply(await begin(wire, action, where, workDoneToken=token))["result"]


def drawn(wire):
    return [each["params"]["value"] for each in wire.sent("$/progress")]


async def test_a_selection_can_be_explained(tuned):
    await tuned.open(CODE)
    (action,) = await actions(tuned, span(0, 0, 2, 0))
    assert (action["title"], action["kind"]) == ("Explain the selection", "fim-ls.explain")
    assert action["command"] == {
        "title": "Explain the selection",
        "command": "fim-ls.instruct",
        "arguments": ["explain", URI, span(0, 0, 2, 0)],
    }


async def test_a_comment_can_be_turned_into_code(tuned):
    await tuned.open(COMMENT)
    (action,) = await actions(tuned, span(1, 8, 1, 8))
    assert (action["title"], action["kind"]) == ("Write code from the comment", "refactor.rewrite.fim-ls")


@pytest.mark.parametrize(
    ("only", "count"),
    [
        (["refactor"], 1),
        (["refactor.rewrite"], 1),
        (["fim-ls"], 1),
        ([""], 2),
        (["quickfix"], 0),
        (["refact"], 0),
    ],
)
async def test_only_the_kinds_that_are_asked_for_are_offered(tuned, only, count):
    await tuned.open(COMMENT)
    assert len(await actions(tuned, span(1, 4, 1, 12), only)) == count


async def test_a_client_that_knows_only_commands_gets_those(wire, completer):
    completer.status = TUNED
    await wire.initialize()
    await wire.open(CODE)
    (action,) = await actions(wire, span(0, 0, 2, 0))
    assert action["command"] == "fim-ls.instruct"


@pytest.mark.parametrize("status", [Status(State.READY, "fake model"), Status(State.LOADING)])
async def test_nothing_is_offered_without_a_model_that_is_tuned(wire, completer, status):
    completer.status = status
    await wire.initialize(**EDITOR)
    await wire.open(CODE)
    assert await actions(wire, span(0, 0, 2, 0)) == []


async def test_nothing_is_offered_where_there_is_nothing_to_do(tuned):
    assert await actions(tuned, span(0, 0, 0, 1)) == [], "not open"
    await tuned.open(CODE)
    assert await actions(tuned, span(1, 4, 1, 4)) == []


async def test_nothing_is_offered_or_read_where_suggestions_are_disabled(wire, completer):
    completer.status = TUNED
    await wire.initialize({"disabledGlobs": ["**/a.py"]}, **EDITOR)
    await wire.open(CODE)
    assert await actions(wire, span(0, 0, 2, 0)) == []
    assert await execute(wire, "explain", span(0, 0, 2, 0)) is None
    assert completer.tasks == []
    assert "switched off here" in wire.messages()[-1][1]


async def test_an_explanation_is_drawn_while_it_is_written_then_shown(tuned, completer):
    await tuned.open(CODE)
    result = await execute(tuned, "explain", span(0, 0, 2, 0), token=7)
    assert result == {"text": "The answer.", "finishReason": "stop"}
    assert completer.tasks[0].given == CODE.rstrip()
    assert {each["params"]["token"] for each in tuned.sent("$/progress")} == {7}
    assert drawn(tuned) == [
        {"kind": "begin", "title": "Explain the selection", "cancellable": True},
        {"kind": "report", "message": "The "},
        {"kind": "report", "message": "The answer."},
        {"kind": "end"},
    ]
    assert tuned.messages() == [(3, "The answer.")]
    assert tuned.sent("window/workDoneProgress/create") == []


async def test_without_a_token_of_the_client_progress_is_drawn_under_one_of_ours(tuned):
    await tuned.open(CODE)
    asked = await begin(tuned, "explain", span(0, 0, 2, 0))
    (create,) = tuned.sent("window/workDoneProgress/create")
    await tuned.answer("window/workDoneProgress/create", None)
    assert tuned.reply(asked)["result"]["text"] == "The answer."
    assert {each["params"]["token"] for each in tuned.sent("$/progress")} == {create["params"]["token"]}


async def test_a_client_that_draws_no_progress_gets_the_answer_all_the_same(wire, completer):
    completer.status = TUNED
    await wire.initialize()
    await wire.open(CODE)
    assert (await execute(wire, "explain", span(0, 0, 2, 0), token=None))["text"] == "The answer."
    assert wire.sent("$/progress") == []


async def test_the_user_can_cancel_the_progress(tuned, completer):
    await tuned.open(CODE)
    completer.gate = asyncio.Event()
    asked = await begin(tuned, "explain", span(0, 0, 2, 0), workDoneToken="t")
    await tuned.notify("window/workDoneProgress/cancel", {"token": "t"})
    assert tuned.reply(asked)["error"]["code"] == -32800
    assert completer.cancelled == 1
    assert drawn(tuned)[-1] == {"kind": "end"}


async def test_a_piece_that_comes_late_is_not_drawn_under_a_progress_that_has_ended(tuned, completer):
    await tuned.open(CODE)
    completer.gate = asyncio.Event()
    await begin(tuned, "explain", span(0, 0, 2, 0), workDoneToken="t")
    await tuned.notify("window/workDoneProgress/cancel", {"token": "t"})
    completer.on_text("late")
    assert drawn(tuned)[-1] == {"kind": "end"}


async def test_an_editor_that_answers_an_edit_with_nothing_has_not_put_it_in(tuned, completer):
    await tuned.open(COMMENT)
    asked = await begin(tuned, "write", span(1, 8, 1, 8), workDoneToken="t")
    await tuned.answer("workspace/applyEdit", None)
    assert tuned.reply(asked)["result"]["applied"] is False


async def test_the_request_can_be_cancelled(tuned, completer):
    await tuned.open(CODE)
    completer.gate = asyncio.Event()
    asked = await begin(tuned, "explain", span(0, 0, 2, 0), workDoneToken="t")
    await tuned.notify("$/cancelRequest", {"id": asked})
    assert tuned.reply(asked)["error"]["code"] == -32800
    assert completer.cancelled == 1


async def write(wire, completer, answer="```python\nreturn a + b\n```", applied=True):
    """Have code written below the comment; returns the result and the edits that were asked for."""
    completer.outcome = Outcome((answer,))
    asked = await begin(wire, "write", span(1, 8, 1, 8), workDoneToken="t")
    edits = [each["params"]["edit"] for each in wire.sent("workspace/applyEdit")]
    if edits:
        await wire.answer("workspace/applyEdit", {"applied": applied})
    return wire.reply(asked)["result"], edits


async def test_code_is_put_below_the_comment(tuned, completer):
    await tuned.open(COMMENT)
    result, (edit,) = await write(tuned, completer)
    place = {"line": 1, "character": 21}
    change = {"range": {"start": place, "end": place}, "newText": "\n    return a + b"}
    assert edit == {"changes": {URI: [change]}}
    assert result["applied"]
    assert tuned.messages() == []


async def test_code_gets_the_line_ends_and_units_of_the_document(tuned, completer):
    await tuned.open("def f():\r\n    # 😀\r\n")
    _, (edit,) = await write(tuned, completer, "a = 1\nb = 2")
    (change,) = edit["changes"][URI]
    assert change["range"]["start"] == {"line": 1, "character": 8}
    assert change["newText"] == "\r\n    a = 1\r\n    b = 2"


async def test_an_editor_that_knows_versions_is_told_for_which_the_code_is(wire, completer):
    completer.status = TUNED
    await wire.initialize(workspace={"applyEdit": True, "workspaceEdit": {"documentChanges": True}})
    await wire.open(COMMENT, version=5)
    _, (edit,) = await write(wire, completer)
    (change,) = edit["documentChanges"]
    assert change["textDocument"] == {"uri": URI, "version": 5}


async def test_code_is_not_put_into_a_document_that_was_changed_meanwhile(tuned, completer):
    await tuned.open(COMMENT)
    completer.gate = asyncio.Event()
    asked = await begin(tuned, "write", span(1, 8, 1, 8), workDoneToken="t")
    await tuned.change({"text": "other"})
    completer.gate.set()
    await tuned.settle()
    assert tuned.reply(asked)["result"]["applied"] is False
    assert tuned.sent("workspace/applyEdit") == []
    assert "changed meanwhile" in tuned.messages()[-1][1]


async def test_an_editor_that_refuses_the_code_is_told_of(tuned, completer):
    await tuned.open(COMMENT)
    result, _ = await write(tuned, completer, applied=False)
    assert result == {"text": "```python\nreturn a + b\n```", "finishReason": "stop", "applied": False}
    assert "did not put the code" in tuned.messages()[-1][1]


async def test_an_editor_that_takes_no_edits_gets_the_code_as_the_result(wire, completer):
    completer.status = TUNED
    await wire.initialize()
    await wire.open(COMMENT)
    result, edits = await write(wire, completer)
    assert (result["applied"], edits) == (False, [])


async def test_an_answer_without_code_is_no_edit(tuned, completer):
    await tuned.open(COMMENT)
    result, edits = await write(tuned, completer, "```\n```")
    assert (result["applied"], edits) == (False, [])
    assert "no code" in tuned.messages()[-1][1]


@pytest.mark.parametrize(
    "arguments",
    [[], ["explain"], ["sing", URI, span(0, 0, 2, 0)], ["explain", URI, "here"], [["explain"], URI, {}]],
    ids=["none", "too few", "unknown action", "no range", "odd types"],
)
async def test_arguments_that_make_no_sense_are_told_in_one_sentence(tuned, completer, arguments):
    await tuned.open(CODE)
    assert await tuned.execute("fim-ls.instruct", *arguments) is None
    assert completer.tasks == []
    ((_, sentence),) = tuned.messages()
    assert sentence == "fim-ls.instruct takes explain or write, the URI of a document, and a range."


async def test_a_failure_is_shown(tuned, completer):
    await tuned.open(CODE)
    completer.outcome = Outcome(finish_reason="failed", error="fake model was not tuned.")
    assert await execute(tuned, "explain", span(0, 0, 2, 0)) is None
    assert tuned.messages() == [(1, "fake model was not tuned.")]


async def test_an_older_task_ends_without_a_word(tuned, completer):
    await tuned.open(CODE)
    completer.outcome = Outcome(("half",), finish_reason="superseded")
    assert await execute(tuned, "explain", span(0, 0, 2, 0)) is None
    assert tuned.messages() == []
