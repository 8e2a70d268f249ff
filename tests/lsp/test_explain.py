"""What ``fim-ls.explain`` tells of repetitions."""

import pytest

from lsp_server.completion.item import Completion, Suggestion

LINE = "total = sum(price * count for price, count in basket)"


@pytest.fixture
def completer(completer):
    completer.answer = Completion((Suggestion("x = 1"), Suggestion(LINE)), id="c1")
    return completer


async def repeats(wire, uri="file:///project/a.py"):
    await wire.open("x = ", uri=uri)
    await wire.ghost(0, 4, uri=uri)
    return (await wire.execute("fim-ls.explain", uri))["repeats"]


async def test_a_suggestion_that_another_open_document_holds_is_told(wire):
    await wire.initialize()
    await wire.open(f"\n    {LINE}\n", uri="file:///project/b.py")
    await wire.open(LINE, uri="untitled:Untitled-1")
    assert await repeats(wire) == [
        {"path": "/project/b.py", "line": 2, "characters": len(LINE)},
        {"path": "untitled:Untitled-1", "line": 1, "characters": len(LINE)},
    ]


async def test_the_document_itself_does_not_count(wire):
    await wire.initialize()
    await wire.open(f"x = {LINE}")
    await wire.ghost(0, 4)
    assert (await wire.execute("fim-ls.explain", "file:///project/a.py"))["repeats"] == []


async def test_a_document_that_is_disabled_is_not_looked_at(wire):
    await wire.initialize({"disabledGlobs": ["**/b.py"]})
    await wire.open(LINE, uri="file:///project/b.py")
    assert await repeats(wire) == []


async def test_files_of_the_project_are_looked_at_unless_they_are_open(wire, tmp_path):
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text(f"\n{LINE}\n", encoding="utf-8")
    params = {"processId": None, "rootUri": tmp_path.as_uri(), "capabilities": {}}
    await wire.request("initialize", params)
    await wire.notify("initialized", {})
    await wire.open("other = 1", uri=(tmp_path / "b.py").as_uri())
    found = await repeats(wire, (tmp_path / "a.py").as_uri())
    assert found == [{"path": str(tmp_path / "c.py"), "line": 2, "characters": len(LINE)}]


async def test_what_is_told_holds_no_source_text(wire):
    await wire.initialize()
    await wire.open(LINE, uri="file:///project/b.py")
    await repeats(wire)
    assert "basket" not in str(await wire.execute("fim-ls.explain", "file:///project/a.py"))
