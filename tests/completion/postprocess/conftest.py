import pytest

from lsp_server.completion.document import Document
from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess import Drop, FilterContext


def place(drawing, language="python"):
    """The snapshot of a drawing in which the cursor is the one ``|``."""
    before, cursor, after = drawing.partition("|")
    assert cursor, "a drawing has a cursor"
    assert "|" not in after, "a drawing has one cursor"
    return Document("file:///drawn", language, before + after).at_offset(len(before))


@pytest.fixture
def drawn():
    return place


@pytest.fixture
def check(request):
    """Checks the filter that the test module names ``FILTER``; without ``shows`` it must drop."""
    step = request.module.FILTER

    def check(drawing, *, model, shows=None, replaces=0, language="python", multiline=True, finish="stop"):
        context = FilterContext(place(drawing, language), multiline, finish)
        expected = Drop(step.__name__) if shows is None else Suggestion(shows, replaces)
        assert step(Suggestion(model), context) == expected

    return check
