from lsp_server.completion.item import Suggestion
from lsp_server.completion.selected import as_if_accepted


def drawn(snapshot):
    return f"{snapshot.prefix}|{snapshot.suffix}"


def test_an_accepted_suggestion_stands_before_the_cursor(at):
    assert drawn(as_if_accepted(at("x = |\ny = 2\n"), Suggestion("1 + 1"))) == "x = 1 + 1|\ny = 2\n"


def test_it_takes_the_place_of_what_it_replaces(at):
    assert drawn(as_if_accepted(at("f(|)\n"), Suggestion("a, b)", replaces=1))) == "f(a, b)|\n"
    after = Suggestion("read_text()", replaces_before=2)
    assert drawn(as_if_accepted(at("file.re|\n"), after)) == "file.read_text()|\n"
