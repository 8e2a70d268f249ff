import pytest

from lsp_server.evaluation.holes import Hole, Source


def hole_of(drawing, kind="rest of line", language="python", path="a.py"):
    """A hole from a text in which what is missing is drawn as ``«…»``."""
    before, _, rest = drawing.partition("«")
    truth, _, after = rest.partition("»")
    return Hole(
        kind, Source("project", path, language, before + truth + after), len(before), len(before + truth)
    )


@pytest.fixture
def drawn():
    return hole_of
