"""An HTTP engine can be down, slow, rude or half dead: one sentence each, and leaving is always possible."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lsp_server.backends.base import FinishReason, GenerationRequest, LoadedModel, Report, SamplingParams
from lsp_server.backends.openai import OpenAiBackend
from lsp_server.completion.item import Usage
from lsp_server.errors import EndpointError, ModelLoadError
from lsp_server.settings import OpenAiSettings, Settings

PROMPT = "SECRET_NUMBER = 1234567\n"
KEY = "sk-0123456789"
REQUEST = GenerationRequest(PROMPT, sampling=SamplingParams(max_new_tokens=4))


def backend_for(base_url: str, **openai: str) -> OpenAiBackend:
    return OpenAiBackend(Settings(deadline_ms=60_000, openai=OpenAiSettings(base_url, **openai)))


def load(backend: OpenAiBackend) -> LoadedModel:
    return backend.load(lambda _share: None)


@pytest.fixture
def backend(engine: Any) -> Iterator[OpenAiBackend]:
    """A backend that reached the scripted engine; what the engine does is changed afterwards."""
    with closing(backend_for(engine.base_url)) as reached:
        load(reached)
        yield reached


def written(backend: OpenAiBackend, request: GenerationRequest = REQUEST) -> tuple[str, Report]:
    report = Report()
    return "".join(backend.generate(request, report)), report


def sentence(failure: pytest.ExceptionInfo[Exception], engine: Any) -> str:
    """The failure in words, checked for what must and must not be in it."""
    said = str(failure.value)
    assert engine.base_url in said
    assert "\n" not in said
    assert said.endswith((".", "?"))
    assert KEY not in said
    assert "SECRET" not in said
    assert "1234567" not in said
    return said


# Reaching the engine


def test_the_first_model_it_lists_is_taken(engine: Any) -> None:
    engine.models = [{"id": "coder", "max_model_len": 4096}, {"id": "other"}]
    with closing(backend_for(engine.base_url)) as backend:
        model = load(backend)
    assert (model.name, model.context_tokens, model.device) == ("coder", 4096, engine.base_url)
    assert model.tokenizer is None
    assert not model.heals


def test_a_named_model_is_asked_for(engine: Any) -> None:
    engine.models = [{"id": "coder"}, {"id": "other", "meta": {"n_ctx": 512}}]
    with closing(backend_for(engine.base_url, model="other")) as backend:
        assert load(backend).context_tokens == 512
        written(backend)
    assert engine.requests[0]["model"] == "other"


def test_an_engine_without_a_list_serves_a_named_model(engine: Any) -> None:
    engine.models = None
    with closing(backend_for(engine.base_url, model="coder")) as backend:
        settings = Settings()
        expected = settings.prompt_tokens(engine.base_url) + settings.max_new_tokens
        assert load(backend).context_tokens == expected
        assert written(backend)[0]
    with closing(backend_for(engine.base_url)) as unnamed, pytest.raises(EndpointError) as failure:
        load(unnamed)
    assert "does openai.baseUrl end in /v1?" in sentence(failure, engine)


def test_an_engine_that_serves_nothing_is_told(engine: Any) -> None:
    engine.models = []
    with closing(backend_for(engine.base_url)) as backend, pytest.raises(ModelLoadError) as failure:
        load(backend)
    assert "lists no model" in sentence(failure, engine)


def test_an_engine_that_is_down_is_told(engine: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        engine.base_url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        with closing(backend_for(engine.base_url)) as backend, pytest.raises(EndpointError) as failure:
            load(backend)
    assert "is it running?" in sentence(failure, engine)


@pytest.mark.parametrize("base_url", ["", "127.0.0.1:8000", "localhost:8000/v1", "file:///etc"])
def test_a_base_url_without_http_is_refused(base_url: str) -> None:
    with closing(backend_for(base_url)) as backend, pytest.raises(ModelLoadError, match=r"openai\.baseUrl"):
        load(backend)


def test_the_key_comes_from_the_environment(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.key = KEY
    monkeypatch.setenv("CODER_KEY", KEY)
    with closing(backend_for(engine.base_url, api_key_env="CODER_KEY")) as backend:
        assert load(backend).name == "coder"


def test_a_wrong_key_is_refused_and_not_repeated(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.key = "another"
    monkeypatch.setenv("CODER_KEY", KEY)
    with (
        closing(backend_for(engine.base_url, api_key_env="CODER_KEY")) as backend,
        pytest.raises(EndpointError) as failure,
    ):
        load(backend)
    assert "HTTP 401: wrong key Bearer …; openai.apiKeyEnv" in sentence(failure, engine)


def test_a_key_that_is_not_set_is_told_by_the_name_of_its_variable(engine: Any) -> None:
    with (
        closing(backend_for(engine.base_url, api_key_env="NO_SUCH_KEY")) as backend,
        pytest.raises(ModelLoadError, match="NO_SUCH_KEY"),
    ):
        load(backend)


def test_a_password_in_the_base_url_is_never_shown(engine: Any) -> None:
    engine.models = []
    hidden = engine.base_url.replace("http://", "http://me:sk-0123456789@")
    with closing(backend_for(hidden)) as backend, pytest.raises(ModelLoadError) as failure:
        load(backend)
    sentence(failure, engine)


# Asking for a completion


def test_the_prompt_is_sent_as_it_is(backend: OpenAiBackend, engine: Any) -> None:
    stops = ("a", "b", "c", "d", "e")
    sampling = SamplingParams(max_new_tokens=4, temperature=0.5, top_p=0.9, seed=3)
    written(backend, GenerationRequest(PROMPT, stop_strings=stops, sampling=sampling))
    (sent,) = engine.requests
    assert sent["prompt"] == PROMPT
    assert (sent["max_tokens"], sent["temperature"], sent["top_p"], sent["seed"]) == (4, 0.5, 0.9, 3)
    assert sent["stop"] == ["a", "b", "c", "d"], "the protocol takes four"
    assert sent["stream"]


def test_a_stop_string_that_was_not_sent_still_stops(backend: OpenAiBackend, engine: Any) -> None:
    engine.words = ["one", " two", " three"]
    request = GenerationRequest(PROMPT, stop_strings=("1", "2", "3", "4", " thr"))
    assert written(backend, request)[0] == "one two"


@pytest.mark.parametrize(("words", "reason"), [(4, FinishReason.STOP), (5, FinishReason.LENGTH)])
def test_the_engine_says_why_it_ended(
    backend: OpenAiBackend, engine: Any, words: int, reason: FinishReason
) -> None:
    engine.words = ["x"] * words
    assert written(backend)[1].finish_reason == reason


def test_the_engine_counts(backend: OpenAiBackend, engine: Any) -> None:
    details = {"cached_tokens": 64}
    engine.usage = {"prompt_tokens": 70, "completion_tokens": 4, "prompt_tokens_details": details}
    assert written(backend)[1].usage == Usage(70, 64, 4)


def test_events_are_counted_where_the_engine_does_not_count(backend: OpenAiBackend, engine: Any) -> None:
    engine.usage = None
    assert written(backend)[1].usage == Usage(completion_tokens=4)


def test_an_engine_that_cannot_count_is_asked_once_more_without(backend: OpenAiBackend, engine: Any) -> None:
    engine.refuses = ("stream_options",)
    assert written(backend)[0] == written(backend)[0] != ""
    assert ["stream_options" in request for request in engine.requests] == [True, False, False]


def test_an_empty_prompt_is_sent_as_an_empty_line(backend: OpenAiBackend, engine: Any) -> None:
    written(backend, GenerationRequest(""))
    assert engine.requests[0]["prompt"] == "\n"


# Leaving


def test_a_silent_engine_can_be_left_at_once(backend: OpenAiBackend, engine: Any) -> None:
    engine.silent = True
    pieces = backend.generate(REQUEST, Report())
    assert next(pieces) == ""
    while not engine.asked.is_set():
        next(pieces)
    pieces.close()
    assert engine.left.wait(10)


def test_an_engine_notices_in_the_middle_that_nobody_listens(backend: OpenAiBackend, engine: Any) -> None:
    engine.endless = True
    report = Report()
    pieces = backend.generate(REQUEST, report)
    assert next(piece for piece in pieces if piece)
    pieces.close()
    assert engine.left.wait(10)
    assert report.finish_reason == FinishReason.CLOSED
    assert report.usage.completion_tokens >= 1


# Failures


def test_an_engine_that_stays_silent_is_given_up(backend: OpenAiBackend, engine: Any) -> None:
    engine.silent = True
    assert backend._connection is not None
    backend._connection.endpoint._client.timeout = 0.05
    with pytest.raises(EndpointError) as failure:
        written(backend)
    assert "was silent for 60 s" in sentence(failure, engine)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, "text/html", "<html>Welcome</html>"), "not a stream; does baseUrl end in /v1?"),
        ((200, "application/json", '{"choices": []}'), "not a stream"),
        ((404, "text/html", "<html>No</html>"), "HTTP 404; does openai.baseUrl end in /v1?"),
        ((400, "application/json", '{"error": {"message": "too\\nlong."}}'), "HTTP 400: too long."),
        ((422, "application/json", '{"detail": "bad field"}'), "HTTP 422: bad field."),
        ((500, "application/json", '{"error": "broken"}'), "HTTP 500: broken."),
        ((503, "application/json", '{"object": "error", "message": "busy"}'), "HTTP 503: busy."),
        ((502, "text/html", "<h1>Bad gateway</h1>"), "HTTP 502."),
        ((400, "application/json", json.dumps({"error": f"cannot read {PROMPT!r}"})), "HTTP 400."),
        ((400, "application/json", json.dumps({"error": "long " * 200})), "HTTP 400: long long"),
    ],
)
def test_an_engine_that_refuses_is_quoted_without_the_prompt(
    backend: OpenAiBackend, engine: Any, answer: tuple[int, str, str], words: str
) -> None:
    engine.status, engine.content_type, engine.body = answer
    with pytest.raises(EndpointError) as failure:
        written(backend)
    said = sentence(failure, engine)
    assert words in said
    assert len(said) < 350


@pytest.mark.parametrize(
    "line",
    ["data: {broken", "data: 1", "data: {}", 'data: {"choices": [{"delta": {"content": "x"}}]}',
     'data: {"choices": [{"text": null}]}', 'data: {"choices": "x"}', "data: null"],
)  # fmt: skip
def test_garbage_in_the_stream_is_told(backend: OpenAiBackend, engine: Any, line: str) -> None:
    engine.lines = [line]
    with pytest.raises(EndpointError) as failure:
        written(backend)
    assert "not a completion" in sentence(failure, engine)


def test_a_failure_in_the_stream_is_quoted(backend: OpenAiBackend, engine: Any) -> None:
    engine.lines = ['data: {"error": {"message": "out of blocks", "code": 500}}']
    with pytest.raises(EndpointError) as failure:
        written(backend)
    assert "failed: out of blocks." in sentence(failure, engine)


@pytest.mark.parametrize("cleanly", [False, True])
def test_a_stream_that_dies_in_the_middle_is_told_behind_its_text(
    backend: OpenAiBackend, engine: Any, cleanly: bool
) -> None:
    event = 'data: {"choices": [{"text": "x", "finish_reason": null}]}'
    engine.lines = [event, event]
    engine.dies_after = None if cleanly else 2
    report = Report()
    pieces = backend.generate(REQUEST, report)
    seen = []
    with pytest.raises(EndpointError) as failure:
        seen.extend(pieces)
    assert "".join(seen) == "xx"
    assert "broke off" in sentence(failure, engine)
    assert report.usage.completion_tokens == 2


def test_a_failure_does_not_outlive_its_request(backend: OpenAiBackend, engine: Any) -> None:
    engine.lines = ["data: {broken"]
    with pytest.raises(EndpointError):
        written(backend)
    engine.lines = None
    assert written(backend)[0]


@pytest.mark.model
def test_a_real_engine_answers_like_the_scripted_one(embedded_gguf: Path) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(embedded_gguf)
    params.n_ctx, params.n_parallel, params.verbosity = 512, 1, -1
    server = xllamacpp.Server(params)
    with closing(backend_for(f"{server.listening_address}/v1")) as backend:
        assert load(backend).context_tokens == 512
        text, report = written(backend, GenerationRequest("def add(a, b):\n    return", stop_strings=("\n",)))
        assert text.strip().startswith("a + b")
        assert report.finish_reason == FinishReason.STOP
        assert report.usage.prompt_tokens > 5
        with pytest.raises(EndpointError, match="exceeds the available context"):
            written(backend, GenerationRequest("word " * 1000))
        pieces = backend.generate(GenerationRequest("import", sampling=SamplingParams(400)), Report())
        next(piece for piece in pieces if piece)
        pieces.close()
        assert written(backend)[1].finish_reason == FinishReason.LENGTH
