import pytest

from lsp_server.completion.document import Document


def snapshot_of(drawing, language="python", uri="file:///project/a.py"):
    """A snapshot from a text with the cursor drawn as ``|``."""
    before, _, after = drawing.partition("|")
    return Document(uri, language, before + after).at_offset(len(before))


@pytest.fixture
def at():
    return snapshot_of
