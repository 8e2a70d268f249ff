import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.completion.context import STEP_LINES, counter, select_window
from lsp_server.completion.document import Document
from lsp_server.completion.fim import FORMATS, render

CAUSAL, PSM = FORMATS["causal"], FORMATS["starcoder"]


def words(text):
    return len(text.split()) + text.count("\n")


def numbered(count, cursor_line):
    document = Document("file:///a.py", "python", "\n".join(f"line {n}" for n in range(count)))
    return document.at(cursor_line, 99)


def test_a_short_file_goes_in_whole(at):
    window = select_window(at("def f():\n    ret|\n\nx = 1\n"), PSM, 100, words)
    assert window.prompt.prefix == "def f():\n    ret"
    assert window.prompt.suffix == "\n\nx = 1\n"


def test_a_causal_model_is_not_given_the_suffix(at):
    assert select_window(at("def f():\n    ret|\n\nx = 1\n"), CAUSAL, 100, words).prompt.suffix == ""


def test_a_model_that_knows_paths_is_told_the_name_of_the_file_within_the_budget():
    document = Document("file:///home/me/My%20notes.py", "python", "x = 1\n" * 100)
    window = select_window(document.at(50, 0), FORMATS["smollm2-spm"], 100, words)
    assert window.prompt.path == "My notes.py"
    assert window.tokens + words(window.prompt.path) <= 100
    assert select_window(document.at(50, 0), PSM, 100, words).prompt.path == ""


def test_a_comment_that_names_the_file_is_counted_too():
    document = Document("file:///home/me/notes.py", "python", "x = 1\n" * 100)
    window = select_window(document.at(50, 0), FORMATS["aixcoder"], 100, words)
    assert (window.prompt.path, window.prompt.language) == ("notes.py", "python")
    comments = words("# the file path is: notes.py\n# the code file is written by Python\n")
    assert window.tokens + comments <= 100


@pytest.mark.parametrize(
    "uri", ["untitled:Untitled-1", "file:///Makefile", "file:///a%0Ab.py", "", "file:///"]
)
def test_a_name_that_tells_no_language_is_not_shown(uri):
    assert Document(uri, "python", "").filename == ""


def test_prefix_and_suffix_are_cut_to_whole_lines_within_the_budget():
    window = select_window(numbered(1000, 500), PSM, 200, words)
    assert window.tokens <= 200
    assert window.prompt.prefix.startswith("line ")
    assert window.prompt.prefix.endswith("line 500")
    assert words(window.prompt.suffix) <= 50
    assert window.prompt.suffix.endswith("\n")


def test_what_the_suffix_leaves_unused_goes_to_the_prefix():
    at_end = select_window(numbered(1000, 999), PSM, 300, words)
    in_middle = select_window(numbered(1000, 500), PSM, 300, words)
    assert len(at_end.prompt.prefix) > len(in_middle.prompt.prefix)


def test_the_window_stays_where_it_is_while_lines_are_added():
    firsts = [select_window(numbered(2000, line), CAUSAL, 300, words).first_line for line in range(500, 600)]
    assert len(set(firsts)) <= 100 // STEP_LINES + 1
    assert firsts == sorted(firsts)


def test_a_line_longer_than_the_budget_keeps_its_end():
    snapshot = Document("file:///a.py", "python", "x " * 100_000).at_offset(200_000)
    window = select_window(snapshot, CAUSAL, 50, words)
    assert 10 <= window.tokens <= 50


def test_of_a_line_longer_than_the_budget_the_model_sees_what_follows_the_cursor():
    snapshot = Document("file:///a.md", "markdown", "word " * 2000).at_offset(5000)
    window = select_window(snapshot, PSM, 100, words)
    assert snapshot.suffix.startswith(window.prompt.suffix)
    assert 10 <= words(window.prompt.suffix) <= 25
    assert window.tokens <= 100
    assert render(window.prompt, PSM, None, heal=False).order == "psm", "not as at the end of a file"


def test_without_a_tokenizer_tokens_are_guessed_from_characters():
    assert counter(None)("x" * 30) == 11


@given(st.text(alphabet="ab \n"), st.integers(0, 60), st.integers(8, 40), st.sampled_from([CAUSAL, PSM]))
def test_the_window_is_part_of_the_document_and_within_the_budget(text, offset, budget, form):
    snapshot = Document("file:///a", "python", text).at_offset(offset)
    window = select_window(snapshot, form, budget, len)
    assert snapshot.prefix.endswith(window.prompt.prefix)
    assert snapshot.suffix.startswith(window.prompt.suffix)
    assert len(window.prompt.prefix) + len(window.prompt.suffix) <= budget
    assert window.tokens <= budget


@pytest.mark.parametrize("drawing", ["|", "a|", "|a", "\n|\n"])
def test_the_edges_of_a_text_are_no_special_case(at, drawing):
    window = select_window(at(drawing), PSM, 100, words)
    assert window.prompt.prefix + "|" + window.prompt.suffix == drawing


@pytest.mark.parametrize("budget", [-5, 0, 1])
def test_a_budget_of_nothing_gives_nothing_and_ends(at, budget):
    window = select_window(at("a\nb|\nc"), CAUSAL, budget, len)
    assert window.prompt.prefix in {"", "b"}


def test_a_window_begins_where_the_last_one_did_if_it_shows_at_least_half_of_what_fits():
    def first(line, last):
        return select_window(numbered(1000, line), PSM, 300, words, last_begun_at=last).first_line

    plain = select_window(numbered(1000, 500), PSM, 300, words).first_line
    assert first(500, 450) == 450
    assert first(500, 490) == plain, "too little"
    assert first(500, plain - 100) == plain, "no room"


def test_the_tokens_of_a_window_are_those_of_what_it_shows():
    for line in range(500, 520):
        window = select_window(numbered(1000, line), PSM, 1000, len)
        assert window.tokens == len(window.prompt.prefix + window.prompt.suffix)
