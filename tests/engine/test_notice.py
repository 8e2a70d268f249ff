"""The licence of a model of the hub is told when it is fetched for the first time."""

import logging

import pytest

from lsp_server.engine import loading
from lsp_server.engine.job import State
from lsp_server.settings import Settings

NAME = "bigcode/starcoder2-3b"
NOTICE = (
    f"{NAME} comes under the licence BigCode OpenRAIL-M v1, "
    "https://huggingface.co/spaces/bigcode/bigcode-model-license-agreement."
)


@pytest.fixture
def notice(monkeypatch, caplog):
    """What is told of a model that was fetched before, or was not."""
    caplog.set_level(logging.INFO, "lsp_server.engine.loading")

    def told(model, *, is_there):
        monkeypatch.setattr(loading, "is_fetched", lambda _name: is_there)
        monkeypatch.setattr(loading, "find_room", lambda _settings: None)
        settings = Settings(model=str(model), backend="transformers")
        return loading.make_backend(settings, lambda _share: None, lambda: False).notice

    return told


def test_the_licence_is_told_and_logged_before_a_model_is_fetched(notice, caplog):
    assert notice(NAME, is_there=False) == NOTICE
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("INFO", NOTICE)]


def test_nothing_is_told_of_a_model_that_is_there(notice, caplog):
    assert notice(NAME, is_there=True) == ""
    assert not caplog.records


def test_nothing_is_told_of_a_folder(notice, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "tokenizer.json").write_text("{}")
    assert notice(tmp_path, is_there=False) == ""


async def test_the_editor_is_told_while_the_model_loads_and_not_afterwards(bench, job, monkeypatch):
    make = bench.make
    monkeypatch.setattr(bench.engine, "_make_backend", lambda *given: make(*given)._replace(notice=NOTICE))
    bench.scripts = [["x"]]
    await bench.engine.run(job())
    messages = [(status.state, status.message) for status in bench.statuses]
    assert messages[:2] == [(State.LOADING, ""), (State.LOADING, NOTICE)]
    assert all(message == "" for state, message in messages if state is not State.LOADING)


async def test_the_licence_of_one_model_is_not_told_of_the_next(bench, job, monkeypatch):
    make, notices = bench.make, [NOTICE, ""]
    monkeypatch.setattr(
        bench.engine, "_make_backend", lambda *given: make(*given)._replace(notice=notices.pop(0))
    )
    bench.scripts = [["x"]]
    await bench.engine.run(job())
    told = len(bench.statuses)
    bench.engine.configure(Settings(model="another"))
    await bench.engine.run(job())
    assert {status.message for status in bench.statuses[told:]} == {""}
