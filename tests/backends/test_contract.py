"""What every backend promises, whatever runs behind it."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from typing import Any

import pytest

from lsp_server.backends.base import FinishReason, GenerationRequest, OneLine, Report, SamplingParams
from lsp_server.completion.fim import FORMATS, FimPrompt, render

PROMPT = "def add(a, b):\n    return"

GGUF = [pytest.param(name, marks=pytest.mark.model) for name in ("llama_cpp", "ik_llama")]
HEALING = pytest.mark.parametrize("backend_factory", ["echo", "transformers", *GGUF], indirect=True)
TEXT_ONLY = pytest.mark.parametrize("backend_factory", ["openai"], indirect=True)
CACHING = pytest.mark.parametrize("backend_factory", ["transformers", *GGUF], indirect=True)


def test_loading_reports_its_progress_up_to_the_end(backend_factory: Any) -> None:
    backend, shares = backend_factory(), []
    with closing(backend):
        backend.load(shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_backend_may_be_closed_twice_and_before_it_is_loaded(backend_factory: Any) -> None:
    backend = backend_factory()
    backend.close()
    backend.load(lambda _share: None)
    backend.close()
    backend.close()


def test_the_same_request_gives_the_same_text_twice(contender: Any) -> None:
    request = contender.request(PROMPT)
    assert contender.run(request).text == contender.run(request).text != ""


def test_a_seed_repeats_what_was_sampled(contender: Any) -> None:
    request = contender.request(PROMPT, temperature=1.0, top_p=0.9, seed=3)
    first = contender.run(request)
    contender.run(contender.request("class Other:\n"))
    assert contender.run(request).text == first.text


def test_no_more_than_max_new_tokens_are_generated(contender: Any) -> None:
    spoken = contender.run(contender.request(PROMPT, max_new_tokens=3))
    assert spoken.report.finish_reason == FinishReason.LENGTH
    assert spoken.report.usage.completion_tokens == 3


def test_the_usage_is_known_at_the_end(contender: Any) -> None:
    request = contender.request(PROMPT)
    usage = contender.run(request).report.usage
    assert usage.prompt_tokens == (5 if request.ids is None else len(request.ids))
    assert usage.completion_tokens > 0


def test_who_says_that_lines_are_weighed_weighs_them_and_nobody_else(contender: Any) -> None:
    request = dataclasses.replace(contender.request(PROMPT), one_line=OneLine())
    assert contender.run(request).report.searches is contender.model.weighs_lines


def test_a_closed_generation_says_so_and_counts_what_it_did(contender: Any) -> None:
    report = Report()
    pieces = contender.backend.generate(contender.request(PROMPT, max_new_tokens=64), report)
    assert next(piece for piece in pieces if piece)
    pieces.close()
    assert report.finish_reason == FinishReason.CLOSED
    assert 1 <= report.usage.completion_tokens < 64


def test_a_generation_after_a_closed_one_is_not_disturbed(contender: Any) -> None:
    request = contender.request(PROMPT)
    whole = contender.run(request).text
    for pulls in range(3):
        pieces = contender.backend.generate(request, Report())
        for _ in range(pulls):
            next(pieces)
        pieces.close()
    assert contender.run(request).text == whole


def test_a_stop_string_is_cut_off_wherever_it_falls(contender: Any) -> None:
    request = contender.request(PROMPT)
    whole = contender.run(request).text
    for start, end in ((0, 1), (1, 3), (2, 5), (len(whole) - 1, len(whole))):
        stop = whole[start:end]
        spoken = contender.run(dataclasses.replace(request, stop_strings=("\0never", stop)))
        assert spoken.text == whole[: whole.index(stop)]
        assert spoken.report.finish_reason == FinishReason.STOP


def test_what_only_looks_like_the_beginning_of_a_stop_string_is_kept(contender: Any) -> None:
    request = contender.request(PROMPT)
    whole = contender.run(request).text
    held = dataclasses.replace(request, stop_strings=(whole[-2:] + "\0", whole[:3] + "\0"))
    assert contender.run(held).text == whole


def test_text_outside_ascii_is_read(contender: Any) -> None:
    assert contender.run(contender.request("# žluťoučký 🐎 → ☃\nname = '")).text


def test_an_empty_document_is_completed(contender: Any) -> None:
    rendered = render(FimPrompt("", ""), FORMATS["causal"], contender.model.tokenizer, heal=False)
    request = GenerationRequest(rendered.text, rendered.ids, sampling=SamplingParams(max_new_tokens=8))
    assert contender.run(request).report.finish_reason != FinishReason.CLOSED


@HEALING
def test_healed_text_is_never_among_the_pieces(contender: Any) -> None:
    spoken = contender.run(contender.request("def add(a, b):\n   ", healed=" return", max_new_tokens=4))
    whole = contender.run(contender.request("def add(a, b):\n   ", healed="", max_new_tokens=4))
    assert spoken.pieces[0] == ""
    assert spoken.text
    assert not spoken.text.startswith(" return") or whole.text.startswith(" return return")


@HEALING
def test_typed_indentation_is_never_made_longer(contender: Any) -> None:
    for seed in range(4):
        request = contender.request("if found:", healed="\n  ", temperature=1.5, seed=seed, max_new_tokens=2)
        assert not contender.run(request).text.startswith((" ", "\t"))


@TEXT_ONLY
def test_healing_asked_of_a_backend_that_cannot_is_an_error_of_the_caller(contender: Any) -> None:
    with pytest.raises(ValueError, match="cannot heal"):
        contender.run(contender.request(PROMPT, healed=" return"))


@CACHING
def test_a_prompt_that_was_read_before_is_found_in_the_cache(contender: Any) -> None:
    cold = contender.run(contender.request(PROMPT)).report.usage
    warm = contender.run(contender.request(PROMPT + " a")).report.usage
    assert cold.cached_tokens < warm.cached_tokens
    assert warm.cached_tokens >= cold.prompt_tokens - 1


def test_a_warm_cache_changes_nothing(contender: Any) -> None:
    requests = [contender.request(text) for text in (PROMPT, PROMPT + " a", "def add(a, c):\n", PROMPT)]
    warm = [contender.run(request).text for request in requests]
    assert warm[0] == warm[3]
    contender.backend.close()
    contender.backend.load(lambda _share: None)
    assert contender.run(requests[1]).text == warm[1]


def test_nothing_is_written_to_the_standard_output(
    backend_factory: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    backend = backend_factory()
    with closing(backend):
        model = backend.load(lambda _share: None)
        ids = None if model.tokenizer is None else tuple(model.tokenizer.encode(PROMPT))
        assert "".join(backend.generate(GenerationRequest(PROMPT, ids), Report()))
    assert capfd.readouterr().out == ""
