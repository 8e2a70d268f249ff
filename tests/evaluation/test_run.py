import asyncio

import pytest

from lsp_server.backends.echo import EchoBackend, Script
from lsp_server.completion.fim import FORMATS
from lsp_server.engine import speed
from lsp_server.engine.engine import Engine
from lsp_server.engine.job import Prepared
from lsp_server.errors import ModelError
from lsp_server.evaluation.run import Examiner
from lsp_server.settings import Settings

LINE = "def f(a, b):\n    return «a + b»\n\n\nprint(f(1, 2))\n"
BLOCK = "def f(a):\n    «b = a + 1\n    return b»\n\n\nprint(f(1))\n"


@pytest.fixture
def ask(drawn):
    """Asks an echo for a hole: the answer, and what the model was shown."""

    def run(drawing, way, script, kind="rest of line", settings=None):
        settings = settings or Settings()
        engine = Engine(settings, lambda *_: Prepared(EchoBackend(script), FORMATS["causal"]))
        try:
            return asyncio.run(Examiner(engine, settings).ask(drawn(drawing, kind), way, 1))
        finally:
            engine.close(20)

    return run


def test_served_goes_through_the_filters_and_raw_does_not(ask):
    says = Script("a + b  # sum\nprint(f(1, 2))")
    assert ask(BLOCK, "served", Script("b = a + 1\n    return b\n\n\nprint(f(1))"), "block").text == (
        "b = a + 1\n    return b"
    )
    assert ask(BLOCK, "raw", Script("b = a\n\n\nprint(f(1))"), "block").text == "b = a\n\n\nprint(f(1))"
    assert ask(LINE, "served", says).text == "a + b  # sum"
    assert ask(LINE, "raw", says).text == "a + b  # sum"


def test_a_place_where_the_trigger_says_no_is_quiet_and_the_model_is_not_asked(ask):
    answer = ask("f(a);«»\ng = 1\n", "served", Script("b"), "complete")
    assert (answer.quiet, answer.asked, answer.reason) == (True, False, "finished_line")


def test_served_is_what_typing_asks_for_and_not_a_key_press(ask):
    says = Script("b = a + 1\n    return b")
    assert ask("def f(a):\n    a = a\n    «b = a»\n    return a\n", "served", says).text == "b = a + 1"


def test_what_a_user_has_switched_off_is_asked_for_all_the_same(ask):
    settings = Settings(
        enabled=False, disabled_languages=("python",), disabled_globs=("*",), debounce_ms=5000
    )
    assert ask(LINE, "served", Script("a + b"), settings=settings).text == "a + b"


@pytest.mark.parametrize("way", ["served", "raw"])
def test_an_answer_that_was_cut_at_the_bound_is_not_finished(ask, way):
    settings = Settings(max_new_tokens=4)
    assert not ask(LINE, way, Script("a + b + c + d"), settings=settings).finished
    assert ask(LINE, way, Script("a"), settings=settings).finished


@pytest.mark.parametrize("way", ["served", "raw"])
def test_a_line_that_goes_on_in_the_next_one_is_finished_at_its_end(ask, way):
    answer = ask(LINE, way, Script("a + b\n" + "    x()\n" * 40))
    assert (answer.text, answer.finished) == ("a + b", True)


@pytest.mark.parametrize("way", ["served", "raw"])
def test_a_model_that_fails_is_an_error(ask, way):
    with pytest.raises(ModelError, match=r"The model is on fire\."):
        ask(LINE, way, Script("", fail="The model is on fire."))


def test_the_answer_does_not_depend_on_what_was_asked_before(drawn):
    prompts = []

    class Watching(EchoBackend):
        def generate(self, request, report):
            prompts.append(request.text)
            return super().generate(request, report)

    engine = Engine(Settings(), lambda *_: Prepared(Watching(Script("x")), FORMATS["causal"]))
    examiner = Examiner(engine, Settings())

    async def twice():
        return [await examiner.ask(drawn(LINE), "served", number) for number in (1, 2)]

    try:
        first, second = asyncio.run(twice())
    finally:
        engine.close(20)
    assert (first.text, first.reason) == (second.text, second.reason) == ("x", "stop")
    assert prompts[-1] == prompts[-2], "it was not answered from the cache"


def test_a_slow_machine_is_asked_the_same(drawn, monkeypatch):
    prompts = []

    class Watching(EchoBackend):
        def generate(self, request, report):
            prompts.append((request.text + request.healed, request.sampling.max_new_tokens))
            return super().generate(request, report)

    monkeypatch.setattr(speed, "UNKNOWN_WINDOW_TOKENS", 16)
    monkeypatch.setattr(speed.Speed, "new_tokens", lambda _speed, _bound: 1)
    engine = Engine(Settings(), lambda *_: Prepared(Watching(Script("x")), FORMATS["causal"]))
    examiner, hole = Examiner(engine, Settings()), drawn("import os\n" * 40 + LINE)

    async def both():
        return [await examiner.ask(hole, way, 1) for way in ("served", "raw")]

    try:
        asyncio.run(both())
    finally:
        engine.close(20)
    assert prompts[-1] == prompts[-2] == (hole.before, Settings().max_new_tokens // 2)


def test_anchored_is_asked_with_the_halves_of_an_earlier_place(drawn):
    prompts = []

    class Watching(EchoBackend):
        def generate(self, request, report):
            prompts.append(request.text + request.healed)
            return super().generate(request, report)

    engine = Engine(Settings(), lambda *_: Prepared(Watching(Script("a + b")), FORMATS["starcoder"]))
    examiner = Examiner(engine, Settings())
    above = "import os\n\n\ndef g():\n    pass\n\n\n"

    async def both():
        return [await examiner.ask(drawn(above + LINE), way, 1) for way in ("served", "anchored")]

    try:
        served, anchored = asyncio.run(both())
    finally:
        engine.close(20)
    assert served.text == anchored.text == "a + b"
    suffix = "\n\n\nprint(f(1, 2))\n"
    plain = f"<fim_prefix>{above}def f(a, b):\n    return <fim_suffix>{suffix}<fim_middle>"
    typed = "\n\ndef f(a, b):\n    return "
    in_session = f"<fim_prefix>{above.removesuffix(typed[:2])}<fim_suffix>{suffix}<fim_middle>{typed}"
    assert prompts[-2:] == [plain, in_session]
