"""When a model is asked to choose one of several lines, and how fast it is said to be then."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import pytest

from lsp_server.backends.base import (
    FinishReason,
    GenerationRequest,
    LoadedModel,
    OneLine,
    Report,
    SamplingParams,
    SecondTry,
)
from lsp_server.backends.echo import CharacterTokenizer, EchoBackend, Script
from lsp_server.completion.context import counter
from lsp_server.completion.document import Document
from lsp_server.completion.fim import FORMATS
from lsp_server.completion.item import Usage
from lsp_server.engine.flight import Flight
from lsp_server.engine.job import Job, Model, Note, Outcome, Prepared
from lsp_server.engine.plan import only_read, plan_requests
from lsp_server.engine.scheduler import Scheduler
from lsp_server.engine.worker import WARM_UP, Worker
from lsp_server.settings import Settings

TEXT = "import os\n\nx = 1\n"
TOKENIZER = CharacterTokenizer()


def requests(
    form: str = "smollm2-spm",
    *,
    settings: Settings | None = None,
    multiline: bool = False,
    candidates: int = 1,
    text: str = TEXT,
    offset: int = 10,
    tokenizer: CharacterTokenizer | None = TOKENIZER,
    note: Note = lambda _stage, _outcome: None,
    weighs_lines: bool = True,
) -> tuple[GenerationRequest, ...]:
    loaded = LoadedModel("m", "cpu", 4096, tokenizer, weighs_lines=weighs_lines)
    model = Model(loaded, FORMATS[form], counter(tokenizer))
    place = Document("file:///a.py", "python", text).at_offset(offset)
    plan = plan_requests(
        place,
        settings or Settings(),
        note,
        multiline=multiline,
        candidates=candidates,
        is_shown=lambda text: text.strip() not in ("", "="),
    )
    return plan(model)


def test_the_embedded_model_chooses_a_whole_line_by_what_stands_behind_the_cursor() -> None:
    one_line = requests()[0].one_line
    assert one_line is not None
    assert one_line.following == tuple(TOKENIZER.encode("\nx ="))
    assert one_line.elsewhere == ()


def test_a_line_that_stands_between_the_same_lines_may_be_chosen_too() -> None:
    stages = dict[str, str]()
    one_line = requests(text=TEXT + "import os\nimport re\n", note=stages.__setitem__)[0].one_line
    assert one_line is not None
    assert one_line.elsewhere == (("import re", 1),)
    assert one_line.is_varied
    assert stages["elsewhere"] == "lines between the same lines: 1"


def test_so_may_the_rest_of_a_line_but_no_other_is_written_there() -> None:
    text = "import os\nim\nx = 1\nimport os\nimport re\n"
    one_line = requests(text=text, offset=12)[0].one_line
    assert one_line is not None
    assert one_line.following == tuple(TOKENIZER.encode("\nx ="))
    assert one_line.elsewhere == (("port re", 1),)
    assert not one_line.is_varied


@pytest.mark.parametrize(
    "asked",
    [
        {"multiline": True},
        {"form": "qwen2.5-coder"},
        {"tokenizer": None},
        {"weighs_lines": False},
        {"settings": Settings(temperature=0.2)},
        {"offset": 6},
    ],
    ids=["a block", "another model", "no tokenizer", "another backend", "at random", "the rest of a line"],
)
def test_else_the_likeliest_tokens_are_taken(asked: dict[str, object]) -> None:
    assert requests(**asked)[0].one_line is None  # type: ignore[arg-type]


def second_try(text: str, offset: int) -> SecondTry:
    (request,) = requests(text=text, offset=offset)
    assert request.second_try is not None
    return request.second_try


def test_another_rest_of_a_line_is_asked_for_where_the_likeliest_would_not_be_shown() -> None:
    (request,) = requests(offset=6)
    assert request.one_line is None
    again = request.again("=")
    assert again is not None
    assert again.one_line is not None
    assert again.one_line.is_varied
    assert (again.text, again.second_try) == (request.text, None)


@pytest.mark.parametrize(
    ("written", "is_enough"),
    [
        ("s, re", True),
        ("", True),
        ("\n", True),
        ("\nx = 1", True),
        (" ", True),
        ("=", False),
        ("f(a", False),
        ("f(", False),
        ("f('a", False),
        ("f(a)\nb(", True),
    ],
)
def test_a_line_that_is_left_open_is_not_enough_but_none_is(written: str, is_enough: bool) -> None:
    assert second_try("a = \nx = 1\n", 4).is_wanted(written) is not is_enough


def test_no_line_is_not_enough_where_something_is_left_open() -> None:
    tried = second_try("a = f(b\nx = 1\n", 7)
    assert tried.one_line.is_needed
    assert tried.is_wanted("")
    assert not tried.is_wanted(", 1)")
    assert not second_try("a = f(b\n)\nx = 1\n", 7).is_wanted("")


def test_a_whole_line_that_is_left_open_is_taken_only_if_there_is_nothing_else() -> None:
    one_line = requests()[0].one_line
    assert one_line is not None
    assert one_line.is_shown("a = f(b)")
    assert not one_line.is_shown("a = f(b")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"multiline": True},
        {"offset": 6, "form": "qwen2.5-coder"},
        {"offset": 6, "tokenizer": None},
        {"offset": 6, "weighs_lines": False},
    ],
    ids=["a whole line", "a block", "another model", "no tokenizer", "another backend"],
)
def test_there_is_no_second_try_of_anything_else(asked: dict[str, object]) -> None:
    assert requests(**asked)[0].second_try is None  # type: ignore[arg-type]


def test_only_the_model_that_it_was_measured_for_is_asked_so() -> None:
    assert [name for name, form in FORMATS.items() if form.weighs_lines] == ["smollm2-spm"]


def test_further_candidates_are_written_at_random() -> None:
    first, second = requests(candidates=2)
    assert first.one_line is not None
    assert second.one_line is None
    first, second = requests(candidates=2, offset=6)
    assert first.second_try is not None
    assert second.second_try is None


def test_what_is_only_read_is_no_line() -> None:
    loaded = LoadedModel("m", "cpu", 4096, TOKENIZER, weighs_lines=True)
    model = Model(loaded, FORMATS["smollm2-spm"], counter(TOKENIZER))
    place = Document("file:///a.py", "python", TEXT).at_offset(10)
    plan = plan_requests(place, Settings(), lambda *_: None, multiline=False, candidates=1)
    (request,) = only_read(plan)(model)
    assert request.one_line is None
    (request,) = only_read(lambda _model: requests(offset=6))(model)
    assert request.second_try is None


class Trying(EchoBackend):
    """Says what is written down, and something else when it is asked for one line."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(Script())
        self._says = {False: first, True: second}
        self.asked: list[bool] = []
        self.on_ask: Callable[[], None] = lambda: None

    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        if request.text == WARM_UP:
            return
        self.asked.append(request.one_line is not None)
        self.on_ask()
        yield self._says[self.asked[-1]]
        report.finish_reason = FinishReason.LENGTH if self.asked[-1] else FinishReason.STOP
        report.usage = Usage(10, 5, 2)


REQUEST = GenerationRequest("x", second_try=SecondTry(OneLine(), lambda text: text.startswith("bad")))


def outcome(backend: Trying, on_ask: Callable[[Job], None] = lambda _job: None) -> Outcome:
    """What comes of a request with a second try."""
    scheduler = Scheduler()
    prepared = Prepared(backend, FORMATS["smollm2-spm"])
    worker = Worker(scheduler, lambda *_: prepared, lambda _status: None)
    job = Job("a", lambda _model: (REQUEST,))
    backend.on_ask = lambda: on_ask(job)
    worker.start()
    scheduler.submit(job)
    try:
        return job.future.result(20)
    finally:
        scheduler.close()
        worker.join(20)


def test_what_is_enough_is_not_tried_again() -> None:
    backend = Trying("good", "better")
    assert outcome(backend).texts == ("good",)
    assert backend.asked == [False]


def test_the_second_try_takes_the_place_of_what_comes_to_nothing() -> None:
    came = outcome(Trying("bad", "good"))
    assert (came.texts, came.reasons) == (("good",), ("length",))
    assert came.usage == Usage(20, 10, 4)


def test_a_second_try_that_comes_to_nothing_either_is_forgotten() -> None:
    came = outcome(Trying("bad", "bad, too"))
    assert (came.texts, came.reasons) == (("bad",), ("stop",))


def test_nothing_is_tried_again_for_a_job_that_was_left() -> None:
    backend = Trying("bad", "good")
    assert outcome(backend, lambda job: job.leave("superseded")).finish_reason == "superseded"
    assert backend.asked == [False]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Searching(EchoBackend):
    """Reads for a second, then searches for ten and says a line at once; it warms up in no time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Script())
        self._clock = clock

    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        if request.text == WARM_UP:
            return
        for seconds in (0.5, 0.5):
            self._clock.now += seconds
            yield ""
        report.searches = True
        yield ""
        for _ in range(10):
            self._clock.now += 1
            yield ""
        yield "a line"
        report.finish_reason, report.usage = FinishReason.STOP, Usage(256, 0, 40)


@pytest.fixture
def served() -> Iterator[tuple[Worker, Job]]:
    clock = Clock()
    prepared = Prepared(Searching(clock), FORMATS["smollm2-spm"])
    scheduler = Scheduler()
    worker = Worker(scheduler, lambda *_: prepared, lambda _status: None, clock)
    job = Job("a", lambda _model: (GenerationRequest("x", sampling=SamplingParams()),))
    worker.start()
    scheduler.submit(job)
    job.future.result(20)
    yield worker, job
    scheduler.close()
    worker.join(20)


def test_to_choose_a_line_counts_as_writing_and_says_nothing_of_how_fast_a_token_is(
    served: tuple[Worker, Job],
) -> None:
    worker, job = served
    outcome = job.future.result(0)
    assert outcome.texts == ("a line",)
    assert (outcome.timings.prefill, outcome.timings.decode) == (1000, 10000)
    speed = worker._model.speed  # type: ignore[union-attr]
    assert speed.read_per_s == 256
    assert speed.write_s is None


def test_a_flight_that_only_reads_ends_with_the_first_pass_of_a_choice() -> None:
    clock, scheduler = Clock(), Scheduler()
    prepared = Prepared(Searching(clock), FORMATS["smollm2-spm"])
    worker = Worker(scheduler, lambda *_: prepared, lambda _status: None, clock)
    place = Document("file:///a.py", "python", TEXT).at_offset(10)
    job = Job("a", lambda _model: (GenerationRequest("x", sampling=SamplingParams()),))
    flight = Flight(place, multiline=False, epoch="", job=job, only_reads=True)
    job.on_text = flight.hear
    worker.start()
    scheduler.submit(job)
    outcome = job.future.result(20)
    scheduler.close()
    worker.join(20)
    assert outcome.finish_reason == "superseded"
    assert clock.now == 1, "all was read, and nothing written"
