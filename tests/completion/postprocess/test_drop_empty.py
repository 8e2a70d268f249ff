import pytest

from lsp_server.completion.postprocess.drop_empty import drop_empty

FILTER = drop_empty


@pytest.mark.parametrize("model", ["", " ", "\n\n\t", "(", "=", " . "])
def test_nothing_to_see_is_dropped(check, model):
    check("x|", model=model)


@pytest.mark.parametrize("model", ["0", "x", ")", ":", ";", "()", " = 1", "é", "_"])
def test_little_that_completes_something_is_shown(check, model):
    check("x|", model=model, shows=model)
