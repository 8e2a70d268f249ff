"""A model is tried with holes that only their suffix can fill, once, and can be left while it is tried."""

import threading

import pytest

from lsp_server.backends.base import FinishReason, LoadedModel
from lsp_server.completion.fim import FORMATS
from lsp_server.engine import identification
from lsp_server.engine.engine import same_model
from lsp_server.engine.probe import HOLES, MOST_NEW_TOKENS, fills, find_format
from lsp_server.models.identity import Identity
from lsp_server.models.registry import ModelSource
from lsp_server.settings import Settings

FORM = FORMATS["starcoder"]
LOADED = LoadedModel("mine", "cpu", 1000, None)
STOP, LENGTH = FinishReason.STOP, FinishReason.LENGTH


class Asked:
    """Answers the requests of a probe, and keeps them."""

    def __init__(self, answer):
        self.requests = []
        self._answer = answer

    def __call__(self, request):
        self.requests.append(request)
        return self._answer(request)


def the_word(request):
    """What a model writes that sees the suffix."""
    return next(hole.word for hole in HOLES if hole.suffix in request.text), STOP


def test_a_model_that_writes_the_words_and_stops_fills():
    asked = Asked(the_word)
    assert fills(FORM, LOADED, asked)
    assert len(asked.requests) == 2
    assert {(each.sampling.max_new_tokens, each.sampling.temperature) for each in asked.requests} == {
        (MOST_NEW_TOKENS, 0.0)
    }


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: ("os", STOP),
        lambda request: (the_word(request)[0], LENGTH),
        lambda request: ("", STOP),
    ],
    ids=["does not look behind the cursor", "does not stop", "says nothing"],
)
def test_a_model_that_does_not_is_left_after_two_holes(answer):
    asked = Asked(answer)
    assert not fills(FORM, LOADED, asked)
    assert len(asked.requests) == 2


def test_one_slip_is_forgiven():
    answers = iter([False, True, True])
    assert fills(FORM, LOADED, Asked(lambda request: the_word(request) if next(answers) else ("x", STOP)))


def test_no_word_that_is_looked_for_stands_in_the_prefix_or_is_a_guess():
    for hole in HOLES:
        assert hole.word in hole.suffix
        assert hole.word not in hole.prefix
    assert len(HOLES) * MOST_NEW_TOKENS <= 72


def test_the_first_format_that_works_is_taken():
    forms = [FORMATS["starcoder"], FORMATS["refact"]]
    asked = Asked(
        lambda request: the_word(request) if request.text.startswith("<fim_suffix>") else ("", STOP)
    )
    assert find_format(forms, LOADED, asked) is FORMATS["refact"]
    assert find_format(forms, LOADED, Asked(lambda _request: ("", STOP))) is None


# On the worker


@pytest.fixture
def undecided(bench, monkeypatch, tmp_path):
    """A model that has to be tried; its verdict is kept in a folder of the test's own."""
    monkeypatch.setenv("FIM_LS_DATA_DIR", str(tmp_path / "data"))
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"weights")
    to_try = (FORMATS["starcoder"],)
    identity = Identity(FORMATS["starcoder"], "probe", "It has to be tried.", to_try=to_try)
    monkeypatch.setattr(identification, "identify", lambda *_given: identity)
    monkeypatch.setattr(identification, "_facts", lambda _source: None)
    make, source = bench.make, ModelSource("gguf", "mine", file)

    def settle(loaded, ask):
        return identification.settle(source, Settings(), loaded, ask)

    monkeypatch.setattr(bench.engine, "_make_backend", lambda *given: make(*given)._replace(settle=settle))
    return bench


async def test_what_the_probe_finds_is_told_and_used(undecided, job):
    undecided.scripts = [["nothing", " of the sort"]]
    await undecided.engine.run(job())
    told = undecided.engine.status.identity
    assert (told.form.name, told.how) == ("causal", "probe")
    assert told.sentence.startswith("mine has the sentinels of starcoder, but did not fill in the middle")


async def test_a_model_is_tried_once_and_not_at_every_start(undecided, job):
    undecided.scripts = [["nothing"]]
    await undecided.engine.run(job())
    first = len(undecided.backends[0].requests)
    undecided.engine.configure(Settings(model="mine again"))
    await undecided.engine.run(job())
    assert (first, len(undecided.backends[1].requests)) == (3, 1)
    assert undecided.engine.status.identity.how == "probe"


async def test_the_log_says_what_was_decided_and_no_source_text(undecided, job, caplog):
    caplog.set_level("INFO", "lsp_server.engine")
    undecided.scripts = [["nothing"]]
    await undecided.engine.run(job())
    (decided,) = [record.getMessage() for record in caplog.records if "starcoder" in record.getMessage()]
    assert decided.startswith("causal: mine has the sentinels of starcoder")
    assert "parcel" not in caplog.text


async def test_a_model_that_is_no_longer_wanted_is_left_while_it_is_tried(undecided, job):
    gate, tried = threading.Event(), threading.Event()

    class Tried(list):
        def __iter__(self):
            tried.set()
            return super().__iter__()

    undecided.scripts = [Tried(["a", gate, "b", "c"]), ["nothing"]]
    undecided.engine.start()
    assert tried.wait(20)
    undecided.engine.configure(Settings(model="another"))
    gate.set()
    await undecided.engine.run(job())
    assert undecided.backends[0].pulled == ["a", "b"]
    assert len(undecided.backends) == 2
    assert "error" not in undecided.states


async def test_a_model_whose_format_is_certain_is_not_tried(bench, job):
    bench.scripts = [["x"]]
    await bench.engine.run(job())
    assert bench.engine.status.identity is None
    assert len(bench.backends[0].requests) == 1


def test_a_changed_format_needs_the_model_loaded_anew():
    assert not same_model(Settings(), Settings(fim_format="starcoder"))
