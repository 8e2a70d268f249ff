"""The whole journey with the embedded model, at places of real files."""

import importlib.util
from pathlib import Path

import pytest

from lsp_server.cli.terminal import complete_all
from lsp_server.completion.document import Document
from lsp_server.completion.trigger import Ask
from lsp_server.settings import Settings

pytestmark = pytest.mark.model

PLACES = {
    "heapq": ("        lastelt = heap.pop()", "        |"),
    "bisect": ("            lo = mid + 1", "            lo = |"),
    "queue": ("            self.not_empty.notify()", "            self.|"),
    "statistics": ("    return _convert(total / n, T)", "    |"),
    "contextlib": ("            self.gen = func(*args, **kwds)", "            self.gen = fu|"),
    "json.decoder": (
        "        obj, end = self.raw_decode(s, idx=_w(s, 0).end())",
        "        obj, end = self.raw|",
    ),
    "textwrap": ("        chunks = self._split_chunks(text)", "        chunks = self._sp|"),
}
"""By module: a line of its file, and what is left of it when the rest is taken away, with the cursor."""
AREA = (
    "import math\n\n\ndef area(radius):\n    return math.pi * pow(|\n    )\n\n\n"
    "def perimeter(radius):\n    return 2 * math.pi * radius\n"
)
HASHES = "for key, value in items:\n    has|\n    hash(value)\n    found.append(value)\n"


def hole(module, line, left):
    """The file of a module of the standard library with the rest of a line taken away."""
    path = Path(importlib.util.find_spec(module).origin)
    source = path.read_text(encoding="utf-8")
    at = source.find(line + "\n")
    if at < 0:  # another release of Python
        return None
    head = source[:at] + left.removesuffix("|")
    return Document(path.as_uri(), "python", head + source[at + len(line) :]).at_offset(len(head))


@pytest.fixture(scope="module")
def answered(embedded_gguf):
    """Snapshots and the suggestion at each, from one model that is loaded once."""
    holes = [found for module, (line, left) in PLACES.items() if (found := hole(module, line, left))]
    assert len(holes) >= 5
    answers = complete_all(Settings(model=str(embedded_gguf)), [(snapshot, Ask()) for snapshot in holes])
    return list(zip(holes, [answer.completion for answer in answers], strict=True))


def test_real_files_get_suggestions(answered):
    suggested = [snapshot for snapshot, completion in answered if completion.suggestions]
    assert len(suggested) >= 5


def test_no_suggestion_repeats_what_follows_the_cursor(answered):
    for snapshot, completion in answered:
        following = next(line for line in snapshot.lines_below if line.strip())
        for suggestion in completion.suggestions:
            assert following not in suggestion.text.split("\n")


def test_a_word_that_is_being_typed_is_gone_on_with(answered):
    for snapshot, completion in answered:
        for suggestion in completion.suggestions:
            if snapshot.line_prefix[-1:].isalnum():
                assert not suggestion.text.startswith(" ")


def test_indentation_that_is_typed_is_not_added_to(answered):
    for snapshot, completion in answered:
        for suggestion in completion.suggestions:
            if not snapshot.line_prefix.strip():
                assert not suggestion.text.startswith(" ")


def test_the_callers_below_are_not_written_again(embedded_gguf):
    document = Document(
        "file:///total.py",
        "python",
        "def total(prices):\n    \n\n\ndef mean(prices):\n    return total(prices) / len(prices)\n",
    )
    (answer,) = complete_all(Settings(model=str(embedded_gguf)), [(document.at(1, 4), Ask(invoked=True))])
    (suggestion,) = answer.completion.suggestions
    assert "sum(prices)" in suggestion.text
    assert "def mean" not in suggestion.text


def suggested(gguf, drawing):
    """What is suggested at the cursor of a drawing while one types."""
    before, after = drawing.split("|")
    place = Document("file:///a.py", "python", before + after).at_offset(len(before))
    (answer,) = complete_all(Settings(model=str(gguf)), [(place, Ask())])
    return answer.completion


def test_what_the_next_line_closes_is_not_closed_twice(embedded_gguf):
    completion = suggested(embedded_gguf, AREA)
    (suggestion,) = completion.suggestions
    assert "radius" in suggestion.text
    assert suggestion.text.count("(") == suggestion.text.count(")")


def test_a_rest_of_a_line_that_would_repeat_the_next_one_is_another(embedded_gguf):
    completion = suggested(embedded_gguf, HASHES)
    assert "second_try" in [stage.name for stage in completion.stages]
    assert [suggestion.text for suggestion in completion.suggestions] == ["h(key)"]
