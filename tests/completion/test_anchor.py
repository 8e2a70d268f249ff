"""When a window is shown again, and when it is not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.completion import anchor
from lsp_server.completion.anchor import MOST_DOCUMENTS, TYPED_CHARACTERS, Anchors
from lsp_server.completion.context import counter, select_window
from lsp_server.completion.document import Document
from lsp_server.completion.fim import FORMATS, render

PSM, SPM, MIDDLE_LAST = FORMATS["starcoder"], FORMATS["smollm2-spm"], FORMATS["mellum"]
BUDGET = 2000
FILE = "".join(f"line_{n} = {n}\n" for n in range(400))


class Session:
    """An editor with one document, drawn with the cursor as ``|``; tokens are characters."""

    def __init__(self, drawing, form=PSM, budget=BUDGET):
        self.form, self.budget = form, budget
        self.anchors, self.count = Anchors(), len
        self.draw(drawing)

    def draw(self, drawing):
        self.before, _, self.after = drawing.partition("|")

    @property
    def place(self):
        return Document("file:///project/a.py", "python", self.before + self.after).at_offset(
            len(self.before)
        )

    def ask(self):
        return self.anchors.window(self.place, self.form, self.budget, self.count).prompt

    def type(self, text, closers=""):
        self.before += text
        self.after = closers + self.after
        return self.ask()


def in_the_middle(line="    x = "):
    """A large file with one more line, at whose end the cursor is."""
    half = len(FILE) // 2
    half = FILE.index("\n", half) + 1
    return FILE[:half] + line + "|\n" + FILE[half:]


def halves(prompt):
    return prompt.prefix, prompt.suffix


def test_the_cursor_line_is_typed_from_the_start():
    prompt = Session("a = 1\nb = 2|\nc = 3\n").ask()
    assert (prompt.prefix, prompt.typed, prompt.suffix) == ("a = 1\n", "b = 2", "\nc = 3\n")


@pytest.mark.parametrize("form", [PSM, SPM, MIDDLE_LAST], ids=lambda form: form.name)
def test_what_is_typed_leaves_the_halves_as_they_are(form):
    session = Session(in_the_middle(), form)
    first = session.ask()
    for key in "foo + bar\n    y = 1\n    retu":
        assert halves(session.type(key)) == halves(first)
    assert session.ask().typed == first.typed + "foo + bar\n    y = 1\n    retu"


@pytest.mark.parametrize("form", [PSM, SPM], ids=lambda form: form.name)
def test_closers_that_an_editor_puts_behind_the_cursor_are_left_out(form):
    session = Session(in_the_middle(), form)
    first = session.ask()
    assert halves(session.type("f(", ")")) == halves(first)
    assert halves(session.type('["', '"]')) == halves(first)
    session.after = session.after.removeprefix('"]')
    assert session.type('"]').typed.endswith('f([""]')
    session.after = session.after.removeprefix(")")
    assert halves(session.type(")")) == halves(first)
    assert halves(session.type(" {\n        ", "\n    }")) == halves(first)


def test_a_window_that_ends_the_document_leaves_closers_out_too():
    session = Session("x = 1\n|")
    assert session.ask().suffix == ""
    assert session.type("f(", ")").suffix == ""
    assert session.type("[", "]").typed == "f(["


@pytest.mark.parametrize("before_suffix", ["x", ", b)", "\n", "  ", ") x", ")" * 65])
def test_what_comes_between_and_is_no_closer_is_shown(before_suffix):
    session = Session(in_the_middle())
    session.ask()
    assert session.type("f(", before_suffix).suffix.startswith(before_suffix)


def test_backspace_takes_back_what_was_typed():
    session = Session(in_the_middle())
    first = session.ask()
    session.type("foo\n    bar")
    session.before = session.before[: -len("\n    bar")]
    assert session.ask() == replace(first, typed=first.typed + "foo")


def test_backspace_through_the_anchor_and_on():
    session = Session(in_the_middle("|"))
    first = session.ask()
    session.before = session.before[:-1]
    prompt = session.ask()
    assert prompt.prefix + prompt.typed == first.prefix[:-1]
    assert session.type("\n").typed.endswith("\n")


def test_a_jump_shows_another_window_and_the_way_back_the_first_one():
    session = Session(in_the_middle())
    first = session.ask()
    there = session.before, session.after
    text = session.before + session.after
    session.before, session.after = text[:700], text[700:]
    assert session.ask() != first
    session.before, session.after = there
    assert session.ask() == first


def test_an_edit_in_the_window_shows_another_one():
    for above in (True, False):
        session = Session(in_the_middle())
        first = session.ask()
        if above:
            session.before = session.before.replace("line_190 ", "line_0190 ")
        else:
            session.after = session.after.replace("line_220 ", "line_0220 ")
        prompt = session.ask()
        assert (prompt.prefix != first.prefix) == above
        assert (prompt.suffix != first.suffix) == (not above)


def test_an_edit_outside_of_the_window_changes_nothing():
    session = Session(in_the_middle(), budget=600)
    first = session.ask()
    session.before = "import os\n" + session.before
    session.after += "the end\n"
    assert session.ask() == first
    session.before = session.before.replace("line_3 = 3\n", "")
    assert session.type("foo") == replace(first, typed=first.typed + "foo")


def test_what_comes_before_or_behind_a_window_of_the_whole_document_is_shown():
    session = Session("a = 1\nb = |\nc = 3\n")
    session.ask()
    session.before = "import os\n" + session.before
    assert session.ask().prefix == "import os\na = 1\n"
    session.after += "d = 4\n"
    assert session.ask().suffix == "\nc = 3\nd = 4\n"


def test_behind_the_middle_stands_no_more_than_the_bound():
    session = Session(in_the_middle(), budget=20_000)
    first = session.ask()
    prompts = [session.type("    some = more\n") for _ in range(40)]
    assert max(len(prompt.typed) for prompt in prompts) <= TYPED_CHARACTERS
    assert len({prompt.prefix for prompt in prompts}) <= 1 + 40 * 16 // (TYPED_CHARACTERS - 32)
    assert all(prompt.prefix.startswith(first.prefix) for prompt in prompts)


def test_where_the_prefix_is_last_it_grows_until_the_budget_is_full():
    session = Session(in_the_middle(), SPM, budget=4000)
    session.ask()
    prompts = [session.type("    some = more\n") for _ in range(100)]
    assert len({prompt.prefix for prompt in prompts}) <= 100 * 16 // 240 + 1
    assert all(len(prompt.prefix + prompt.typed + prompt.suffix) <= 4000 for prompt in prompts)


def test_a_window_begins_where_the_one_before_did_after_a_small_jump():
    session = Session(in_the_middle(), budget=2000)
    first = session.ask()
    lines = session.before.splitlines(keepends=True)
    session.before, session.after = "".join(lines[:-8]), "".join(lines[-8:]) + session.after
    jumped = session.ask()
    assert jumped.suffix != first.suffix
    assert first.prefix.startswith(jumped.prefix + jumped.typed)
    assert len(jumped.prefix) > 300
    fresh = select_window(session.place, PSM, 2000, len).prompt
    assert len(fresh.prefix) > len(jumped.prefix + jumped.typed), "it could have shown more"


def test_a_document_that_is_replaced_and_one_that_is_undone():
    session = Session(in_the_middle())
    first = session.ask()
    there = session.before, session.after
    session.draw("something = |else\n")
    assert session.ask().prefix == ""
    session.before, session.after = there
    assert session.ask() == first


def test_a_cursor_line_that_does_not_fit_keeps_its_part_while_a_word_is_typed():
    session = Session("word " * 5000 + "|" + " word" * 100 + "\n", budget=400)
    first = session.ask()
    prompts = [session.type(key) for key in "some more words"]
    assert {halves(prompt) for prompt in prompts} == {halves(first)}
    assert len(first.prefix) > 100
    many = [session.type("and ") for _ in range(200)]
    assert len(set(map(halves, many))) <= 200 * 4 / (400 / 16) + 1
    assert all(len(prompt.prefix + prompt.typed + prompt.suffix) <= 400 for prompt in many)


def test_line_ends_of_windows_and_halves_of_surrogate_pairs():
    source = in_the_middle().replace("\n", "\r\n")
    anchors, windows = Anchors(), []
    for typed in ("", "\ud83d", "\ud83d\ude00", "\ud83d\ude00\r\n    y"):
        text = source.replace("|", typed)
        document = Document.from_source("file:///a.py", "python", text)
        offset = len(source.partition("|")[0].replace("\r\n", "\n") + typed.replace("\r\n", "\n"))
        windows.append(anchors.window(document.at_offset(offset), PSM, BUDGET, len).prompt)
    assert len(set(map(halves, windows))) == 1
    assert windows[-1].typed == "    x = \ud83d\ude00\n    y"


@pytest.mark.parametrize("name", ["codegen2", "incoder", "causal"])
def test_families_whose_middle_has_no_sentinel_of_its_own_are_asked_as_ever(name):
    session = Session(in_the_middle(), FORMATS[name])
    session.ask()
    session.type("f(", ")")
    assert session.ask() == select_window(session.place, FORMATS[name], BUDGET, len).prompt


def test_another_model_another_budget_and_another_language_begin_anew():
    session = Session(in_the_middle())
    session.ask()
    session.type("f(", ")")
    session.count = counter(None)
    assert session.ask().suffix.startswith(")")
    session.type("f(", ")")
    session.budget = 100
    assert len(session.ask().prefix) < 300
    session.type("f(", ")")
    place = replace(session.place, document=replace(session.place.document, language="lua"))
    assert session.anchors.window(place, PSM, 100, session.count).prompt.suffix.startswith(")))")


def test_a_document_that_was_closed_begins_anew():
    session = Session(in_the_middle())
    session.ask()
    session.type("f(", ")")
    session.anchors.forget("file:///project/a.py")
    session.anchors.forget("file:///project/never-seen.py")
    assert session.ask().suffix.startswith(")")


def test_only_so_many_documents_and_anchors_are_kept():
    anchors = Anchors()
    for number in range(MOST_DOCUMENTS + 5):
        document = Document(f"file:///{number}.py", "python", FILE)
        for line in (10, 100, 200, 300, 20):
            anchors.window(document.at(line, 0), PSM, 500, len)
    assert len(anchors._by_uri) == MOST_DOCUMENTS
    assert max(map(len, anchors._by_uri.values())) == anchor.MOST_PER_DOCUMENT


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_a_budget_of_nothing_gives_nothing_and_ends(form):
    for budget in (-5, 0, 1, 5):
        session = Session("a\nb|\nc", form, budget)
        for _ in range(3):
            prompt = session.type("x")
            assert len(prompt.prefix + prompt.typed + prompt.suffix) <= max(0, budget)


# -- whatever is typed where

EDITS = st.one_of(
    st.tuples(
        st.just("type"), st.text("ab \n()}", max_size=6), st.sampled_from(["", ")", '"', "\n}", "a", "\n"])
    ),
    st.tuples(st.just("backspace"), st.integers(1, 4), st.just("")),
    st.tuples(st.just("jump"), st.integers(0, 200), st.just("")),
    st.tuples(st.just("insert"), st.integers(0, 200), st.text("ab\n)", max_size=4)),
    st.tuples(st.just("replace"), st.text("ab\n()", max_size=200), st.just("")),
)
CLOSERS = frozenset(")]}>\"'` \n")


def edited(before, after, edit):
    kind, what, more = edit
    text = before + after
    if kind == "type":
        return before + what, more + after
    if kind == "backspace":
        return before[:-what], after
    if kind == "jump":
        return text[:what], text[what:]
    if kind == "replace":
        return what, ""
    at = what % (len(text) + 1)
    if at <= len(before):
        return before[:at] + more + before[at:], after
    return before, text[len(before) : at] + more + text[at:]


@given(
    st.text("ab \n()}", max_size=200),
    st.lists(EDITS, max_size=30),
    st.sampled_from([PSM, SPM, MIDDLE_LAST, FORMATS["codegen2"]]),
    st.integers(8, 120),
)
def test_nothing_is_shown_that_the_document_does_not_hold(text, edits, form, budget):
    session = Session("|", form, budget)
    session.before, session.after = text[: len(text) // 2], text[len(text) // 2 :]
    for edit in edits:
        session.before, session.after = edited(session.before, session.after, edit)
        prompt = session.ask()
        assert session.before.endswith(prompt.prefix + prompt.typed)
        at = session.after.find(prompt.suffix)
        assert at >= 0
        left_out = session.after[:at]
        assert CLOSERS.issuperset(left_out)
        assert left_out == left_out.rstrip()
        shown = len(prompt.prefix + prompt.typed + prompt.suffix)
        assert shown <= budget


@given(st.text("ab \n()}", max_size=300), st.integers(0, 300), st.sampled_from([PSM, SPM]))
def test_the_first_prompt_of_a_place_shows_what_a_plain_one_does(text, offset, form):
    place = Document("file:///a.py", "python", text).at_offset(offset)
    plain = select_window(place, form, 60 - 60 // 16, len).prompt
    prompt = Anchors().window(place, form, 60, len).prompt
    assert prompt.prefix + prompt.typed == plain.prefix
    assert prompt.suffix == plain.suffix
    text = render(prompt, SPM, None, heal=True).text
    assert text == render(plain, SPM, None, heal=True).text
