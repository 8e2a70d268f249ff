from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.remove_duplicates import remove_duplicates


def test_the_first_of_each_text_stays_in_order():
    a, b = Suggestion("a)", 1), Suggestion("b)", 1)
    assert remove_duplicates([b, a, Suggestion("b)"), a]) == (b, a)


def test_different_texts_all_stay():
    suggestions = tuple(Suggestion(text) for text in ("a", "a ", "A"))
    assert remove_duplicates(suggestions) == suggestions
