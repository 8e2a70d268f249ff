"""An instruction-tuned model, scripted, behind the whole server."""

from itertools import pairwise

ANSWER = "It adds both numbers. " * 20
CODE = "def add(a, b):\n    return "
WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 11}}
URI = "file:///project/a.py"


def command(action, where, **more):
    return {"command": "fim-ls.instruct", "arguments": [action, URI, where], **more}


def reports(client):
    values = [each["params"]["value"] for each in client.received if each.get("method") == "$/progress"]
    return [value["message"] for value in values if value["kind"] == "report"]


def scripted(**more):
    return {"text": "a + b", "answers": {"### Response:": ANSWER}, "instruct": True, **more}


async def test_a_code_action_explains_the_selection_as_it_is_written(start):
    client = await start(echo=scripted())
    await client.initialize()
    await client.open(CODE)
    await client.ready()
    place = {"textDocument": {"uri": URI}, "range": WHOLE, "context": {"diagnostics": []}}
    (action,) = await client.request("textDocument/codeAction", place)
    params = {"command": action["command"], "arguments": action["arguments"], "workDoneToken": "t"}
    answer = await client.request("workspace/executeCommand", params)
    assert answer["text"] == ANSWER.strip()
    told = reports(client)
    assert told[0] == "It"
    assert all(later.startswith(earlier) for earlier, later in pairwise(told))
    shown = [each["params"] for each in client.received if each.get("method") == "window/showMessage"]
    assert [each["message"] for each in shown] == [ANSWER.strip()]


async def test_a_completion_does_not_wait_for_an_explanation(start):
    client = await start(echo=scripted(delay_ms=40))
    await client.initialize()
    await client.open(CODE)
    await client.ready()
    _, explained = await client.begin(
        "workspace/executeCommand", command("explain", WHOLE, workDoneToken="t")
    )
    await client.until(lambda message: message.get("method") == "$/progress" and len(reports(client)) > 1)
    assert await client.ghost(1, 11) == "a + b"
    assert not explained.done()
    asked, _ = await client.begin("workspace/executeCommand", command("explain", WHOLE))
    assert (await explained)["result"] is None, "the newer one took its place"
    await client.notify("$/cancelRequest", {"id": asked})
    assert (await client.replies[asked])["error"]["code"] == -32800


async def test_a_model_that_is_not_tuned_offers_nothing(start):
    client = await start()
    await client.initialize()
    await client.open(CODE)
    await client.ready()
    place = {"textDocument": {"uri": URI}, "range": WHOLE, "context": {"diagnostics": []}}
    assert await client.request("textDocument/codeAction", place) == []
    assert await client.request("workspace/executeCommand", command("explain", WHOLE)) is None
    (shown,) = [each["params"] for each in client.received if each.get("method") == "window/showMessage"]
    assert shown["message"] == "echo was not tuned on instructions, so it cannot follow any."


async def test_no_source_text_of_an_instruction_reaches_the_log(start):
    client = await start(echo=scripted(answers={"### Response:": "hush"}), log_level="info")
    await client.initialize()
    await client.open("def hush():\n    return ")
    await client.request("workspace/executeCommand", command("explain", WHOLE))
    await client.request("shutdown")
    await client.notify("exit")
    await client.exit_code()
    assert "hush" not in client.log
