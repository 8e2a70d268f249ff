"""A suggestion shown while it is written."""

import io
import json

import pytest
from rich.console import Console

from lsp_server import cli
from lsp_server.cli.stream import PipeStream, TerminalStream
from lsp_server.completion.document import Document
from lsp_server.completion.draft import Draft
from lsp_server.completion.item import Completion, Suggestion
from lsp_server.completion.postprocess import FilterContext
from lsp_server.errors import BackendError

BODY = "a = 1\n    b = 2\n    c = 3\n    return a + b + c\n"
SNAPSHOT = Document("file:///a.py", "python", "def f():\n    \n").at(1, 4)
CONTEXT = FilterContext(SNAPSHOT, multiline=True, finish_reason="")


@pytest.fixture
def block(tmp_path):
    path = tmp_path / "block.py"
    path.write_text("def f():\n    \n", encoding="utf-8")
    return f"{path}:2:5"


@pytest.mark.parametrize("text", [BODY, "return 1", f"{BODY}\n\ndef g():\n    pass", "```python\nx = 1\n```"])
def test_what_is_printed_is_what_is_suggested(fim_ls, says, block, text):
    says(text)
    code, out, err = fim_ls("complete", block, "--backend", "echo", "--stream")
    _, described, _ = fim_ls("complete", block, "--backend", "echo", "--json")
    assert (code, err) == (0, "")
    assert out == json.loads(described)["text"] + "\n"


def test_lines_are_printed_as_soon_as_they_are_settled(capsys):
    printed = []
    with PipeStream() as stream:
        for end in range(len(BODY) + 1):
            stream.take(Draft(BODY[:end], CONTEXT))
            printed.append(capsys.readouterr().out)
        stream.end(Completion((Suggestion(BODY.rstrip()),)))
    assert [piece for piece in printed if piece] == ["a = 1", "\n    b = 2", "\n    c = 3"]
    assert capsys.readouterr().out == "\n    return a + b + c\n"


def test_nothing_to_suggest_prints_nothing_and_says_so(fim_ls, says, block):
    says("")
    code, out, err = fim_ls("complete", block, "--backend", "echo", "--stream")
    assert (code, out) == (0, "")
    assert err.strip() == "Nothing to suggest (drop_empty)."


def test_lines_that_are_dropped_after_all_are_withdrawn(capsys):
    with PipeStream() as stream:
        stream.take(Draft(BODY, CONTEXT))
        with pytest.raises(BackendError, match="drop_repetition"):
            stream.end(Completion(dropped_by="drop_repetition"))
    assert capsys.readouterr().out.endswith("c = 3\n")


def test_a_failure_ends_the_line_that_is_begun(fim_ls, says, block):
    says(BODY, fail="The model is on fire.")
    code, out, err = fim_ls("complete", block, "--backend", "echo", "--stream")
    assert code == 1
    assert out == "" or out.endswith("\n")
    assert err.strip() == "fim-ls: The model is on fire."


def test_a_reader_that_has_gone_is_no_error_of_ours(monkeypatch):
    class Gone(io.StringIO):
        def write(self, _text):
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Gone())
    with PipeStream() as stream:
        stream.take(Draft(BODY, CONTEXT))
        with pytest.raises(BrokenPipeError):
            stream.end(Completion((Suggestion(BODY.rstrip()),)))


def test_a_terminal_shows_the_text_in_its_place_and_in_the_end_the_suggestion():
    console = Console(file=io.StringIO(), force_terminal=True, width=60, height=40, color_system=None)
    with TerminalStream(SNAPSHOT, console) as stream:
        stream.take(Draft("a =", CONTEXT))
        drawn = console.file.getvalue()
        stream.end(Completion((Suggestion("a = 1"),)))
    assert "    2     a =" in drawn
    assert console.file.getvalue().endswith("    1 def f():\n    2     a = 1\n")


def test_a_terminal_says_why_there_is_nothing():
    console = Console(file=io.StringIO(), force_terminal=True, width=60, height=40, color_system=None)
    with TerminalStream(SNAPSHOT, console) as stream:
        stream.end(Completion(dropped_by="drop_empty"))
    assert "Nothing to suggest (drop_empty)." in console.file.getvalue()


def test_one_suggestion_is_streamed_and_not_several(fim_ls, block):
    code, _, err = fim_ls("complete", block, "--backend", "echo", "--stream", "--n", "2")
    assert code == 2
    assert "--stream shows one suggestion" in err


def test_json_is_not_streamed(block, capsys):
    with pytest.raises(SystemExit) as leaving:
        cli.main(["complete", block, "--stream", "--json"])
    assert leaving.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err
