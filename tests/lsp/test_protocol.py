import asyncio
import json
import logging

import pytest

from lsp_server.lsp.discretion import keep_discreet

INVALID_REQUEST, UNKNOWN_METHOD, INVALID_PARAMS, PARSE_ERROR = -32600, -32601, -32602, -32700
NOT_INITIALIZED, CANCELLED = -32002, -32800

NOT_MESSAGES = [
    b"",
    b"\xff\xfe",
    b"{",
    b"[" * 100_000,
    b"[]",
    b"null",
    b"7",
    b'{"id": 1, "method": "shutdown"}',
    b'{"jsonrpc": "1.0", "id": 1, "method": "shutdown"}',
    b'{"jsonrpc": "2.0", "id": [1], "method": "shutdown"}',
    b'{"jsonrpc": "2.0", "id": null, "method": "shutdown"}',
    b'{"jsonrpc": "2.0", "id": true, "method": "shutdown"}',
    b'{"jsonrpc": "2.0", "id": 1, "method": 7}',
]

BAD_PARAMS = [
    None,
    7,
    [],
    {},
    {"textDocument": {"uri": "file:///project/a.py"}, "position": {"line": 0, "character": 0}},
    {"textDocument": {}, "position": {"line": 0, "character": 0}, "context": {"triggerKind": 1}},
    {
        "textDocument": {"uri": "file:///project/a.py"},
        "position": {"line": -1, "character": 0},
        "context": {"triggerKind": 1},
    },
    {
        "textDocument": {"uri": "file:///project/a.py"},
        "position": {"line": 0, "character": 0},
        "context": {"triggerKind": 3},
    },
]


@pytest.mark.parametrize("body", NOT_MESSAGES)
async def test_what_is_not_a_message_is_refused_and_the_conversation_goes_on(wire, body):
    await wire.send_raw(body)
    (reply,) = wire.received
    assert reply["id"] is None
    assert reply["error"]["code"] in (PARSE_ERROR, INVALID_REQUEST)
    await wire.initialize()
    assert wire.received[-1] is not reply


@pytest.mark.parametrize("params", BAD_PARAMS)
async def test_parameters_that_are_not_valid_are_refused_once(wire, params):
    await wire.initialize()
    await wire.open("x = ")
    reply = await wire.request("textDocument/inlineCompletion", params)
    assert reply["error"]["code"] == INVALID_PARAMS
    assert await wire.ghost(0, 4)
    assert not wire.sent("window/showMessage")


async def test_an_unknown_method_is_refused_whatever_its_parameters(wire):
    await wire.initialize()
    for params in (None, [], {"type_name": 1}, {"_": {"a-b": 1}}):
        assert (await wire.request("no/such/method", params))["error"]["code"] == UNKNOWN_METHOD


async def test_an_unknown_notification_is_not_answered(wire):
    await wire.initialize()
    before = len(wire.received)
    await wire.notify("no/such/method", {"x": 1})
    await wire.notify("$/whatever")
    assert len(wire.received) == before


async def test_an_unknown_command_is_refused(wire):
    await wire.initialize()
    reply = await wire.request("workspace/executeCommand", {"command": "no-such-command"})
    assert reply["error"]["code"] == INVALID_PARAMS


async def test_a_request_before_initialize_is_refused(wire):
    for method in ("textDocument/inlineCompletion", "shutdown", "no/such/method"):
        assert (await wire.request(method, {}))["error"]["code"] == NOT_INITIALIZED


async def test_a_notification_before_initialize_is_dropped(wire):
    await wire.open("x = ")
    await wire.initialize()
    assert await wire.ghost(0, 4) is None


async def test_a_second_initialize_is_refused(wire):
    await wire.initialize()
    reply = await wire.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    assert reply["error"]["code"] == INVALID_REQUEST


async def test_an_initialize_that_is_not_valid_may_be_repeated(wire):
    assert (await wire.request("initialize", {}))["error"]["code"] == INVALID_PARAMS
    assert (await wire.initialize())["inlineCompletionProvider"] is not None


async def test_a_request_after_shutdown_is_refused(wire):
    await wire.initialize()
    assert (await wire.request("shutdown"))["result"] is None
    assert (await wire.request("shutdown"))["error"]["code"] == INVALID_REQUEST
    assert (await wire.request("no/such/method"))["error"]["code"] == INVALID_REQUEST


async def test_shutdown_with_pending_work_answers_everything(wire, completer):
    completer.gate = asyncio.Event()
    await wire.initialize(window={"workDoneProgress": True}, workspace={"configuration": True})
    await wire.open("x = ")
    pending = [await wire.ask(0, 4), await wire.ask(0, 3)]
    assert wire.sent("workspace/configuration")
    assert (await wire.request("shutdown"))["result"] is None
    assert [wire.reply(each)["error"]["code"] for each in pending] == [CANCELLED, CANCELLED]
    assert completer.stopped == 1


async def test_exit_after_shutdown_is_success_and_without_it_is_not(wire):
    await wire.notify("exit")
    assert wire.server.protocol.exit_code == 1
    await wire.initialize()
    await wire.request("shutdown")
    await wire.notify("exit")
    assert wire.server.protocol.exit_code == 0


async def test_a_cancelled_request_stops_the_work_and_is_answered_so(wire, completer):
    completer.gate = asyncio.Event()
    await wire.initialize()
    await wire.open("x = ")
    asked = await wire.ask(0, 4)
    await wire.notify("$/cancelRequest", {"id": asked})
    assert completer.cancelled == 1
    assert wire.reply(asked)["error"]["code"] == CANCELLED


async def test_cancelling_what_is_answered_already_is_no_news(wire, caplog):
    await wire.initialize()
    for unknown in (1, "x", 99):
        await wire.notify("$/cancelRequest", {"id": unknown})
    await wire.notify("$/cancelRequest", {"id": None})
    assert [record for record in caplog.records if record.name.startswith("pygls")] == []


async def test_no_future_is_kept_of_what_is_done(wire):
    await wire.initialize()
    await wire.open("x = ")
    for version in range(2, 50):
        await wire.change({"text": "y = "}, version=version)
        await wire.ghost(0, 4)
    assert wire.server.protocol._request_futures == {}


async def test_a_snapshot_is_of_the_moment_of_its_request(wire, completer):
    """Even when the next edit came in the same breath, as it does over TCP."""
    completer.gate = asyncio.Event()
    await wire.initialize()
    await wire.open("old")
    asked = await wire.ask(0, 3)
    await wire.change({"text": "new text"})
    completer.gate.set()
    await wire.settle()
    assert wire.seen() == "old|"
    assert wire.reply(asked)["result"]["items"]


async def test_an_answer_to_no_question_is_ignored(wire):
    await wire.initialize()
    await wire.send(id="never asked", result=None)
    await wire.send(id=1, result=7)
    await wire.send(result=7)
    await wire.send(id=[], error=None)
    await wire.open("x = ")
    assert await wire.ghost(0, 4)


async def test_an_answer_that_comes_too_late_is_ignored(wire, completer, monkeypatch):
    monkeypatch.setattr("lsp_server.lsp.protocol.ANSWER_TIMEOUT_S", 0)
    await wire.initialize(workspace={"configuration": True})
    await wire.settle()
    assert completer.started == 1
    await wire.answer("workspace/configuration", [{"enabled": False}])
    assert completer.settings.enabled


async def test_an_edit_that_cannot_be_read_closes_its_document(wire, caplog):
    """A text that is known to be wrong gets no suggestions."""
    await wire.initialize()
    await wire.open("secret = ")
    await wire.change({"range": {"start": {"line": -1, "character": 0}}, "text": "secret"})
    assert await wire.ghost(0, 4) is None
    assert "secret" not in caplog.text
    await wire.open("x = ")
    assert await wire.ghost(0, 4)


async def test_an_edit_of_a_document_that_was_never_opened_is_no_failure(wire):
    await wire.initialize()
    await wire.change({"text": "x"})
    assert not wire.sent("window/showMessage")
    assert await wire.ghost(0, 0) is None


@pytest.mark.parametrize("params", [None, 7, {}, {"textDocument": 7}, {"textDocument": {"uri": None}}])
async def test_broken_notifications_do_no_harm(wire, params):
    await wire.initialize()
    for method in (
        "textDocument/didOpen",
        "textDocument/didChange",
        "textDocument/didClose",
        "textDocument/didShowCompletion",
        "textDocument/didPartiallyAcceptCompletion",
        "workspace/didChangeConfiguration",
        "$/cancelRequest",
    ):
        await wire.notify(method, params)
    await wire.open("x = ")
    assert await wire.ghost(0, 4)


async def test_no_source_text_is_logged_whatever_fails(wire, completer, caplog, monkeypatch):
    keep_discreet()  # once more: pytest has meanwhile put a handler of its own there
    caplog.set_level(logging.INFO)
    await wire.initialize()
    await wire.open("hush = ")

    async def fail(snapshot, _ask):
        raise ValueError(snapshot.prefix)

    monkeypatch.setattr(completer, "complete", fail)
    assert "error" in wire.reply(await wire.ask(0, 7))
    await wire.send_raw(b'{"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"text": "hush"}}')
    await wire.send_raw(b'{"hush": ')
    await wire.request("workspace/executeCommand", {"command": "hush"})
    assert "ValueError" in caplog.text
    assert "hush" not in caplog.text


async def test_a_message_at_debug_level_is_seen_whole(wire, caplog):
    caplog.set_level(logging.DEBUG)
    await wire.send_raw(json.dumps({"jsonrpc": "2.0", "method": "hello/there"}).encode())
    assert "hello/there" in caplog.text


async def test_a_command_that_there_is_not_is_refused(wire):
    await wire.initialize()
    reply = await wire.request("workspace/executeCommand", {"command": "fim-ls.dance"})
    assert reply["error"]["code"] == -32602
