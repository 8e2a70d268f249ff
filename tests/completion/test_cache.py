from lsp_server.completion.cache import LOOK_BACK, Answer, CompletionCache
from lsp_server.completion.item import Suggestion


def one(text, replaces=0):
    return Answer((Suggestion(text, replaces),))


def remembered(at, stored, answer, asked, *, multiline=False, then_multiline=False):
    cache = CompletionCache()
    cache.store(at(stored), answer, multiline=multiline)
    found = cache.find(at(asked), multiline=then_multiline)
    return None if found is None else [suggestion.text for suggestion in found.suggestions]


def test_the_same_place_gives_the_same_answer(at):
    assert remembered(at, "x = |\n", one("1 + 1"), "x = |\n") == ["1 + 1"]


def test_typing_the_answer_gives_the_rest_of_it(at):
    assert remembered(at, "x = |\n", one("1 + 1"), "x = 1 +|\n") == [" 1"]


def test_typing_something_else_is_a_new_question(at):
    assert remembered(at, "x = |\n", one("1 + 1"), "x = 2|\n") is None


def test_typing_the_answer_to_its_end_is_a_new_question(at):
    assert remembered(at, "x = |\n", one("1"), "x = 1|\n") is None


def test_another_suffix_is_another_question(at):
    assert remembered(at, "x = |\n", one("1 + 1"), "x = |)\n") is None


def test_white_space_counts(at):
    assert remembered(at, "if a:\n    |", one("pass"), "if a:\n        |") is None


def test_another_document_is_another_question(at):
    cache = CompletionCache()
    cache.store(at("x = |"), one("1"), multiline=False)
    assert cache.find(at("x = |", uri="file:///b.py"), multiline=False) is None


def test_another_model_is_another_question(at):
    cache = CompletionCache()
    cache.store(at("x = |"), one("1"), multiline=False, epoch="small")
    assert cache.find(at("x = |"), multiline=False, epoch="large") is None


def test_a_block_that_is_being_typed_goes_on_as_a_block(at):
    answer = one("if x:\n    return 1")
    assert remembered(at, "def f(x):\n    |", answer, "def f(x):\n    if|", multiline=True) == [
        " x:\n    return 1"
    ]


def test_a_line_does_not_answer_for_a_block(at):
    assert remembered(at, "f(|", one("x"), "f(|", then_multiline=True) is None


def test_an_empty_answer_is_remembered_at_its_place_only(at):
    assert remembered(at, "x = 1|", Answer(()), "x = 1|") == []
    assert remembered(at, "x = 1|", Answer(()), "x = 12|") is None


def test_why_there_is_nothing_is_remembered(at):
    cache = CompletionCache()
    cache.store(at("x = 1|"), Answer((), dropped_by="drop_empty"), multiline=False)
    assert cache.find(at("x = 1|"), multiline=False).dropped_by == "drop_empty"


def test_what_is_left_has_not_all_candidates(at):
    cache = CompletionCache()
    both = Answer((Suggestion("1 + 1"), Suggestion("2 + 2")), complete=True)
    cache.store(at("x = |"), both, multiline=False)
    rest = cache.find(at("x = 1|"), multiline=False)
    assert (rest.suggestions, rest.complete) == ((Suggestion(" + 1"),), False)


def test_what_is_left_keeps_the_range(at):
    cache = CompletionCache()
    cache.store(at("f(|)"), one("a, b)", replaces=1), multiline=False)
    assert cache.find(at("f(a|)"), multiline=False).suggestions == (Suggestion(", b)", 1),)


def test_looking_back_has_a_bound(at):
    long = "y" * (LOOK_BACK + 1)
    assert remembered(at, "x = |", one(long + "!"), f"x = {long}|") is None
    assert remembered(at, "x = |", one(long + "!"), f"x = {long[1:]}|") == ["y!"]


def test_the_oldest_answers_go_first(at):
    cache = CompletionCache(most=2)
    for name in "abc":
        cache.store(at(f"{name} = |"), one("1"), multiline=False)
    assert cache.find(at("a = |"), multiline=False) is None
    assert cache.find(at("c = |"), multiline=False) is not None


def test_a_closed_document_is_forgotten(at):
    cache = CompletionCache()
    cache.store(at("x = |"), one("1"), multiline=False)
    cache.forget("file:///project/a.py")
    assert cache.find(at("x = |"), multiline=False) is None
