import random

import pytest

from lsp_server.completion import rope
from lsp_server.completion.document import Document
from lsp_server.completion.rope import Rope, edited, typed_between

WHOLE = "ab\n\nabcab\nc"
ROPES = [Rope(WHOLE[:i], WHOLE[i:j], WHOLE[j:]) for i in range(12) for j in range(i, 12)]
PLACES = range(13)


@pytest.mark.parametrize("text", ROPES, ids=lambda text: f"{len(text.head)}+{len(text.middle)}")
def test_it_answers_as_its_string_does(text):
    assert (str(text), len(text), text == WHOLE, hash(text)) == (WHOLE, len(WHOLE), True, hash(WHOLE))
    for start in PLACES:
        for end in (*PLACES, None):
            assert text[start:end] == WHOLE[start:end]
            for what in ("", "\n", "ab", "abc", "cab\nc", WHOLE, "x"):
                assert text.find(what, start, end) == WHOLE.find(what, start, end), (what, start, end)
                assert text.rfind(what, start, end) == WHOLE.rfind(what, start, end), (what, start, end)
                assert text.startswith(what, start) == WHOLE.startswith(what, start)


def test_it_is_no_other_text():
    assert Rope("a", "b", "c") != "abd"
    assert Rope("a", "b", "c") == Rope("", "abc", "")
    assert Rope(" ", "\n", "").isspace()
    assert not Rope(" ", "", "x").isspace()


@pytest.fixture
def short(monkeypatch):
    """Texts are long from a few characters on."""
    monkeypatch.setattr(rope, "NEAR_CHARACTERS", 4)
    monkeypatch.setattr(rope, "LONG_CHARACTERS", 16)


@pytest.mark.usefixtures("short")
def test_edits_here_and_there_come_to_the_same_as_in_a_string():
    rng = random.Random(1)
    text, string = "", ""
    for _ in range(2000):
        start = rng.randrange(len(string) + 1)
        end = min(len(string), start + rng.choice((0, 0, 1, 3, 40)))
        new = "".join(rng.choices("ab\n", k=rng.choice((0, 1, 1, 2, 30))))
        before, string = string, string[:start] + new + string[end:]
        text = edited(text, start, end, new)
        assert text == string
        if start == end:
            assert typed_between(before, text, start) == new
    assert isinstance(text, Rope)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("at", [0, 3, 20, 37, 40])
def test_what_was_typed_is_found_in_ropes_too(at):
    before = edited("x" * 40, 20, 20, "")
    after = edited(before, at, at, "typed")
    assert typed_between(before, after, at) == "typed"
    assert typed_between(before, edited(after, 30, 31, "y"), at) is None
    assert typed_between(after, before, at) is None


def test_where_one_types_in_a_long_document_the_rest_is_not_copied():
    document = Document("file:///a.py", "python", "value = 1\n" * 50_000)
    here = document.start_of(25_000)
    begun = document.edited(here, here, "v\n", None, "\n")
    done = begun.edited(here, here + 2, "value = 2\n", None, "\n")
    assert done.text.head is begun.text.head
    assert done.text.tail is begun.text.tail
    assert done.at(25_000, 0).line_suffix == "value = 2"
    assert done.start_of(50_001) == len(done.text) == 500_010
    assert done.at_offset(here + 1).counts_below.line_ends == 25_001
