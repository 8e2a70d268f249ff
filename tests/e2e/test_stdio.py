"""The whole server over standard input and output, with a scripted backend."""

import asyncio

import pytest

INVALID_REQUEST, UNKNOWN_METHOD, INVALID_PARAMS, PARSE_ERROR, CANCELLED = (
    -32600,
    -32601,
    -32602,
    -32700,
    -32800,
)
SLOW = {"text": "word " * 60, "delay_ms": 200}
DRAFT = "def add(a, b):\n    return "


async def test_a_suggestion_comes_back(start):
    client = await start()
    answer = await client.initialize()
    assert answer["serverInfo"]["name"] == "fim-ls"
    assert answer["capabilities"]["inlineCompletionProvider"] is not None
    await client.open(DRAFT)
    assert await client.ghost(1, 11) == "a + b"


async def test_initialize_is_answered_without_a_model_library(start):
    client = await start(backend="auto", before=["-X", "importtime"])
    await client.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    await client.request("shutdown")
    await client.notify("exit")
    assert await client.exit_code() == 0
    imported = {line.rpartition("|")[2].strip() for line in client.log.splitlines()}
    assert "lsp_server.lsp.server" in imported
    large = {"torch", "transformers", "tokenizers", "xllamacpp", "ik_llama_cpp", "httpx", "websockets"}
    assert imported & large == set()


async def test_the_newest_request_of_a_document_wins(start, place):
    client = await start(echo=SLOW)
    await client.initialize()
    await client.open(DRAFT)
    _, first = await client.begin("textDocument/inlineCompletion", place(1, 11))
    await client.change({"text": DRAFT + "a"})
    second_id, second = await client.begin("textDocument/inlineCompletion", place(1, 12))
    assert (await first)["result"] is None
    assert not second.done()
    await client.notify("$/cancelRequest", {"id": second_id})
    assert (await second)["error"]["code"] == CANCELLED


async def test_a_cancelled_request_says_so_and_the_next_one_is_served(start, place, status):
    client = await start(echo={"answers": {"slow": "word " * 60}, "text": "a + b", "delay_ms": 100})
    await client.initialize()
    await client.open("slow = ")
    await client.open(DRAFT, uri="file:///project/b.py")
    asked, reply = await client.begin("textDocument/inlineCompletion", place(0, 7))
    await client.until(lambda message: status(message) == "busy")
    await client.notify("$/cancelRequest", {"id": asked})
    assert (await reply)["error"]["code"] == CANCELLED
    assert await client.ghost(1, 11, uri="file:///project/b.py") == "a + b"


async def test_edits_are_taken_in_while_a_model_answers(start, place, status):
    client = await start(echo={"answers": {"fast": "done"}, "text": "word " * 60, "delay_ms": 50})
    await client.initialize()
    await client.open("slow = ")
    await client.begin("textDocument/inlineCompletion", place(0, 7))
    await client.until(lambda message: status(message) == "busy")
    await client.change({"text": "fast = True\nvalue = "})
    assert await client.ghost(1, 8) == "done"


async def test_nothing_but_the_protocol_reaches_standard_output(start):
    """The client fails on any other byte."""
    client = await start(echo={"text": "a + b", "print": True})
    await client.initialize()
    await client.open(DRAFT)
    assert await client.ghost(1, 11) == "a + b"
    await client.request("shutdown")
    await client.notify("exit")
    assert await client.exit_code() == 0
    assert "a line that belongs nowhere" in client.log
    assert "another one" in client.log


@pytest.mark.parametrize("echo", [{"text": "hush()"}, {"text": "hush()", "fail": "The device is gone."}])
async def test_the_log_never_holds_source_text(start, echo, place):
    client = await start(echo=echo, log_level="info")
    await client.initialize({"hush": "hush"}, processId=None)
    await client.open("def hush():\n    hush = ")
    await client.ghost(1, 11)
    await client.change({"range": {"start": {"line": "hush"}}, "text": "hush"})
    await client.notify("textDocument/didOpen", {"textDocument": {"text": "hush"}})
    await client.reply("textDocument/inlineCompletion", {"hush": place(0, 0)})
    await client.send_body(b'{"hush": hush}')
    await client.refusals.get()
    await client.execute("fim-ls.explain", "file:///project/a.py")
    await client.request("shutdown")
    await client.notify("exit")
    await client.exit_code()
    assert "completion" in client.log
    assert "hush" not in client.log


async def test_a_failure_is_shown_once_and_answered_with_nothing(start, status):
    client = await start(echo={"text": "a + b", "fail": "The device is gone."})
    await client.initialize()
    await client.open(DRAFT)
    for column in (11, 10, 9):
        assert await client.ghost(1, column) is None
    shown = [each for each in client.received if each.get("method") == "window/showMessage"]
    assert [each["params"]["message"] for each in shown] == ["The device is gone."]
    assert client.log.count("The device is gone.") == 1


async def test_bad_input_does_not_end_the_conversation(start):
    client = await start()
    await client.initialize()
    await client.open(DRAFT)
    for body in (b"", b"hello", b"\xff\xfe\x00", b"[" * 10_000, b"[1, 2]", b"null"):
        await client.send_body(body)
        assert await asyncio.wait_for(client.refusals.get(), 60) in (PARSE_ERROR, INVALID_REQUEST)
    await client.send_bytes(b"Content-Length: nonsense\r\n\r\nnonsense\r\n\r\n")
    await client.send_bytes(b"Content-Length: 2\r\n\r\n{}}}}}}\r\n")
    assert await asyncio.wait_for(client.refusals.get(), 60) == INVALID_REQUEST
    await client.notify("no/such/notification", {"x": [1]})
    await client.notify("textDocument/didChange", {"textDocument": 1})
    await client.send(id="never asked", result={"x": 1})
    assert (await client.reply("no/such/method"))["error"]["code"] == UNKNOWN_METHOD
    assert (await client.reply("textDocument/inlineCompletion"))["error"]["code"] == INVALID_PARAMS
    assert await client.ghost(1, 11) == "a + b"


@pytest.mark.parametrize(
    ("line", "character"), [(1, 11), (1, 99), (99, 0), (99, 99), (2_147_483_647, 2_147_483_647)]
)
async def test_a_position_past_the_end_is_the_end(start, line, character):
    client = await start()
    await client.initialize()
    await client.open(DRAFT)
    result = await client.request(
        "textDocument/inlineCompletion",
        {
            "textDocument": {"uri": "file:///project/a.py"},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": 1},
        },
    )
    end = {"line": 1, "character": 11}
    assert result["items"][0]["range"] == {"start": end, "end": end}


async def test_a_file_with_carriage_returns_gets_them_back(start):
    client = await start(echo={"text": "x = 1\n    return x"})
    await client.initialize()
    await client.open("class Thing:\r\n    pass\r\n\r\ndef make():\r\n    ")
    assert await client.ghost(4, 4) == "x = 1\r\n    return x"


async def test_odd_separators_do_not_corrupt_the_text(start):
    client = await start(echo={"answers": {"a\fb\x85c\u2028d\nTHIRD = ": "right"}, "text": "wrong"})
    await client.initialize()
    await client.open("a\fb\x85c\u2028d\nsecond = ")
    span = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 6}}
    await client.change({"range": span, "text": "THIRD"})
    assert await client.ghost(1, 8) == "right"


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 16), ("utf-16", 13), ("utf-32", 12)])
async def test_edits_and_positions_are_in_the_agreed_encoding(start, encoding, character):
    client = await start(echo={"answers": {'text = "😀é" + ': "right"}, "text": "wrong"})
    await client.initialize(capabilities={"general": {"positionEncodings": [encoding]}})
    await client.open('text = "😀é"')
    spot = {"line": 0, "character": character}
    await client.change({"range": {"start": spot, "end": spot}, "text": " + "})
    assert await client.ghost(0, character + 3) == "right"


async def test_changed_settings_hold_without_a_restart(start):
    client = await start()
    await client.initialize()
    await client.open(DRAFT)
    for enabled, expected in ((False, None), (True, "a + b")):
        settings = {"fim-ls": {"enabled": enabled}}
        await client.notify("workspace/didChangeConfiguration", {"settings": settings})
        assert await client.ghost(1, 11) == expected


async def test_the_editors_settings_are_fetched(start):
    client = await start()
    client.answers["workspace/configuration"] = [{"enabled": False}]
    await client.initialize(capabilities={"workspace": {"configuration": True}})
    await client.until(lambda message: message.get("params", {}).get("state") == "off")
    await client.open(DRAFT)
    assert await client.ghost(1, 11) is None


async def test_suggestions_can_be_switched_off_and_on(start):
    client = await start()
    await client.initialize()
    await client.open(DRAFT)
    assert await client.execute("fim-ls.toggle") == {"enabled": False}
    assert await client.ghost(1, 11) is None
    assert (await client.execute("fim-ls.status"))["state"] == "off"
    assert await client.execute("fim-ls.toggle") == {"enabled": True}
    assert await client.ghost(1, 11) == "a + b"


async def test_an_editor_without_ghost_text_gets_a_completion_item(start):
    client = await start(echo={"text": "urn a + b"})
    answer = await client.initialize(capabilities={})
    assert answer["capabilities"]["completionProvider"] is not None
    await client.open("def add(a, b):\n    ret")
    params = {"textDocument": {"uri": "file:///project/a.py"}, "position": {"line": 1, "character": 7}}
    (item,) = (await client.request("textDocument/completion", params))["items"]
    assert item["label"] == "return a + b"
    assert item["textEdit"]["newText"] == "return a + b"


async def test_explain_tells_the_stages_and_the_lifecycle_is_taken_in(start, place):
    client = await start()
    await client.initialize()
    await client.open(DRAFT)
    result = await client.request("textDocument/inlineCompletion", place(1, 11))
    item = result["items"][0]
    await client.notify("textDocument/didShowCompletion", {"item": item})
    await client.notify("textDocument/didPartiallyAcceptCompletion", {"item": item, "acceptedLength": 2})
    assert await client.execute(item["command"]["command"], *item["command"]["arguments"]) is None
    explained = await client.execute("fim-ls.explain", "file:///project/a.py")
    assert explained["finishReason"] == "stop"
    assert explained["usage"]["completionTokens"] > 0
    assert {"trigger", "end"} <= {stage["name"] for stage in explained["stages"]}


async def test_a_document_nobody_opened_gets_nothing(start):
    client = await start()
    await client.initialize()
    assert await client.ghost(0, 0, uri="file:///etc/hostname") is None


async def test_a_document_that_is_too_large_gets_nothing(start):
    client = await start()
    await client.initialize()
    await client.open("x = 1\n" * 1_500_000)
    await client.open("y" * 1_000_000, uri="file:///project/b.py")
    assert await client.ghost(1, 3) is None
    assert await client.ghost(0, 3, uri="file:///project/b.py") is None
    await client.open(DRAFT)
    assert await client.ghost(1, 11) == "a + b"
