import pytest

from lsp_server.completion.item import Completion, Stage, Suggestion, Timings, Usage
from lsp_server.lsp.documents import LONGEST_LINE

OTHER = "file:///project/b.py"
GHOSTS = {"textDocument": {"inlineCompletion": {}}}


def change(start, end, text):
    (line, character), (last, column) = start, end
    place = {"start": {"line": line, "character": character}, "end": {"line": last, "character": column}}
    return {"range": place, "text": text}


async def test_what_is_answered_is_announced(wire):
    capabilities = await wire.initialize(**GHOSTS)
    assert capabilities["inlineCompletionProvider"] == {}
    assert capabilities["textDocumentSync"]["openClose"]
    assert capabilities["textDocumentSync"]["change"] == 2
    assert "completionProvider" not in capabilities
    commands = capabilities["executeCommandProvider"]["commands"]
    names = ["accepted", "status", "toggle", "explain", "instruct"]
    assert commands == [f"fim-ls.{name}" for name in names]


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


async def test_what_writes_is_told_of_each_edit_before_anything_is_asked(wire, completer):
    await wire.initialize()
    await wire.open("x = ")
    await wire.change({"text": "x = 1"})
    assert completer.changes == [("file:///project/a.py", "x = 1")]


async def test_an_edit_of_one_character_counts_as_a_key(wire, completer):
    def put(text, start, end):
        line = [{"line": 0, "character": character} for character in (start, end)]
        return {"text": text, "range": {"start": line[0], "end": line[1]}}

    await wire.initialize()
    await wire.open("x = ")
    for keys, change in enumerate([put("1", 4, 4), put("", 4, 5)], start=1):
        await wire.change(change)
        assert completer.keys == keys
    await wire.change(put("pasted", 4, 4))
    assert completer.keys == 2


async def test_a_document_that_is_too_large_gets_nothing_and_is_named_once(wire, completer, caplog):
    caplog.set_level("INFO")
    await wire.initialize()
    await wire.open("x" * (LONGEST_LINE + 1))
    for _ in range(3):
        assert await wire.ghost(0, 4) is None
    assert completer.asked == []
    assert caplog.text.count("too large") == 1


@pytest.mark.parametrize(
    ("reason", "reply"),
    [
        ("superseded", None),
        ("cancelled", None),
        ("failed", None),
        ("skipped", []),
        ("cached", []),
        ("stop", []),
    ],
)
async def test_nothing_to_suggest_is_an_empty_list_and_no_answer_is_null(wire, completer, reason, reply):
    await wire.initialize()
    await wire.open("x = ")
    completer.answer = Completion(finish_reason=reason, stages=(Stage("end", reason),))
    assert await wire.ghost(0, 4) == reply


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


async def test_what_becomes_of_a_suggestion_is_counted(wire, completer):
    await wire.initialize()
    await wire.open("x = ")
    (item,) = await wire.ghost(0, 4)
    await wire.notify("textDocument/didShowCompletion", {"item": item})
    await wire.notify("textDocument/didPartiallyAcceptCompletion", {"item": item, "acceptedLength": 3})
    await wire.execute(item["command"]["command"], *item["command"]["arguments"])
    counts = completer.statistics
    assert (counts.shown, counts.accepted, counts.accepted_in_part) == (4, 3, 43)


async def test_where_an_editor_asks_for_code_actions_the_cursor_rests(wire, completer):
    await wire.initialize()
    await wire.open("x = \ny")
    for start, end in (((1, 1), (1, 1)), ((0, 0), (1, 1))):
        where = {
            "start": {"line": start[0], "character": start[1]},
            "end": {"line": end[0], "character": end[1]},
        }
        params = {
            "textDocument": {"uri": "file:///project/a.py"},
            "range": where,
            "context": {"diagnostics": []},
        }
        await wire.request("textDocument/codeAction", params)
    assert completer.rests == [("file:///project/a.py", 6)], "a selection is no place to write at"


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
        "repeats": [],
    }
    assert await wire.execute("fim-ls.explain") is None
