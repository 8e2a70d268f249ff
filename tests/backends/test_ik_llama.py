"""What the reader of ik_llama.cpp keeps, and when the backend is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server.backends import ik_llama
from lsp_server.backends.base import FinishReason, GenerationRequest, OneLine, Report, SamplingParams
from lsp_server.backends.ik_context import NO_ROOM_IN_CACHE, Threads
from lsp_server.backends.ik_llama import IkLlamaBackend
from lsp_server.backends.ik_reader import WORTH_KEEPING_TOKENS, common_length
from lsp_server.backends.sampling import log_likelihoods
from lsp_server.completion.elsewhere import LineElsewhere
from lsp_server.engine.loading import make_backend
from lsp_server.errors import ModelLoadError, OutOfMemoryError
from lsp_server.models import gguf
from lsp_server.models.tokenizer import GgufTokenizer
from lsp_server.settings import Settings

np = pytest.importorskip("numpy")
LONG, OTHER = list(range(100, 400)), list(range(1000, 1300))


@pytest.fixture(scope="module")
def backend(embedded_gguf: Path) -> Iterator[IkLlamaBackend]:
    if not ik_llama.runs_here():
        pytest.skip("ik_llama.cpp is not made for this machine")
    backend = IkLlamaBackend(embedded_gguf, GgufTokenizer(gguf.read(embedded_gguf)), Settings())
    with closing(backend):
        backend.load(lambda _share: None)
        yield backend


def ask(backend: IkLlamaBackend, ids: Sequence[int], new_tokens: int = 2) -> tuple[str, Report]:
    report = Report()
    request = GenerationRequest("", tuple(ids), sampling=SamplingParams(max_new_tokens=new_tokens))
    return "".join(backend.generate(request, report)), report


@pytest.mark.model
def test_what_two_prompts_begin_with_is_read_once(backend: IkLlamaBackend) -> None:
    ask(backend, LONG)
    _, report = ask(backend, [*LONG, 7])
    assert report.usage.cached_tokens == len(LONG)
    assert report.usage.prompt_tokens == len(LONG) + 1


@pytest.mark.model
def test_going_back_to_an_earlier_prompt_costs_one_token_and_changes_nothing(backend: IkLlamaBackend) -> None:
    first, _ = ask(backend, LONG, 8)
    ask(backend, OTHER)
    again, report = ask(backend, LONG, 8)
    assert report.usage.cached_tokens == len(LONG) - 1
    assert again == first
    _, report = ask(backend, OTHER)
    assert report.usage.cached_tokens == len(OTHER) - 1


@pytest.mark.model
def test_an_earlier_prompt_that_cannot_be_gone_back_to_is_read_anew(
    backend: IkLlamaBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = ask(backend, LONG, 8)
    ask(backend, [*LONG[:20], *OTHER])
    assert backend._context is not None
    monkeypatch.setattr(backend._context, "restore", lambda _state: backend._context.forget())  # type: ignore[union-attr]
    again, report = ask(backend, LONG, 8)
    assert report.usage.cached_tokens == 0
    assert again == first


@pytest.mark.model
def test_what_is_soon_read_again_is_not_kept(backend: IkLlamaBackend) -> None:
    few = WORTH_KEEPING_TOKENS // 2
    ask(backend, range(2000, 2000 + few), 1)
    ask(backend, OTHER)
    _, report = ask(backend, range(2000, 2000 + few))
    assert report.usage.cached_tokens == 0


@pytest.mark.model
def test_earlier_prompts_take_no_more_memory_than_they_may(backend: IkLlamaBackend) -> None:
    for start in range(3000, 6000, 300):
        ask(backend, range(start, start + 300), 1)
    assert backend._decoder is not None
    reader = backend._decoder.reader
    assert 0 < sum(map(len, reader._kept.values())) <= reader._kept_bytes  # type: ignore[attr-defined]
    _, report = ask(backend, range(3000, 3300), 1)
    assert report.usage.cached_tokens == 0, "the oldest went"


@pytest.mark.model
def test_a_prompt_that_is_read_in_part_goes_on_from_there(backend: IkLlamaBackend) -> None:
    report = Report()
    pieces = backend.generate(GenerationRequest("", tuple(range(7000, 7400))), report)
    next(pieces)
    pieces.close()
    assert report.usage.prompt_tokens < 400
    _, again = ask(backend, range(7000, 7400))
    assert again.usage.cached_tokens == report.usage.prompt_tokens


def line(
    backend: IkLlamaBackend,
    ids: Sequence[int],
    following: Sequence[int] = (),
    new_tokens: int = 12,
    *,
    healed: str = "",
    elsewhere: Sequence[LineElsewhere] = (),
) -> tuple[str, Report]:
    report = Report()
    sampling = SamplingParams(max_new_tokens=new_tokens)
    one_line = OneLine(tuple(following), elsewhere=tuple(elsewhere))
    request = GenerationRequest("", tuple(ids), healed, sampling=sampling, one_line=one_line)
    return "".join(backend.generate(request, report)), report


@pytest.fixture
def half_a_line(embedded_gguf: Path) -> list[int]:
    return GgufTokenizer(gguf.read(embedded_gguf)).encode("import os\n\nfor name in os.")


@pytest.mark.model
def test_a_line_is_written_in_several_ways_behind_what_stays_read(
    backend: IkLlamaBackend, embedded_gguf: Path, half_a_line: list[int]
) -> None:
    text, report = line(backend, half_a_line)
    assert "\n" not in text
    assert report.searches
    assert report.finish_reason == FinishReason.STOP
    tokens = GgufTokenizer(gguf.read(embedded_gguf)).encode(text)
    assert report.usage.completion_tokens > len(tokens)
    _, again = ask(backend, [*half_a_line, 7])
    assert again.usage.cached_tokens == len(half_a_line)


@pytest.mark.model
def test_what_was_tried_beside_the_line_changes_nothing_of_what_comes_later(
    backend: IkLlamaBackend, half_a_line: list[int]
) -> None:
    ask(backend, OTHER)
    plain, _ = ask(backend, half_a_line, 16)
    first, _ = line(backend, half_a_line, [28])
    assert ask(backend, half_a_line, 16)[0] == plain
    assert line(backend, half_a_line, [28])[0] == first


@pytest.mark.model
def test_a_line_that_is_left_midway_leaves_the_prompt_read(
    backend: IkLlamaBackend, half_a_line: list[int]
) -> None:
    report, calls = Report(), 0
    pieces = backend.generate(GenerationRequest("", tuple(half_a_line), one_line=OneLine()), report)
    while not report.searches or calls < 2:
        assert next(pieces) == ""
        calls += report.searches
    pieces.close()
    assert report.finish_reason == FinishReason.CLOSED
    assert report.usage.completion_tokens >= 1
    _, again = ask(backend, [*half_a_line, 7])
    assert again.usage.cached_tokens == len(half_a_line)


@pytest.mark.model
def test_a_line_that_does_not_end_is_cut_at_its_bound(
    backend: IkLlamaBackend, half_a_line: list[int]
) -> None:
    text, report = line(backend, half_a_line, new_tokens=2)
    assert text
    assert report.finish_reason == FinishReason.LENGTH


@pytest.mark.model
def test_a_model_that_fails_midway_is_asked_anew_as_if_nothing_was_read(
    backend: IkLlamaBackend, half_a_line: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, _ = line(backend, half_a_line)
    context, results = backend._context, iter([0, NO_ROOM_IN_CACHE])
    assert context is not None
    decode = context._decode
    with monkeypatch.context() as patch:
        patch.setattr(context, "_decode", lambda batch: next(results) or decode(batch))
        with pytest.raises(OutOfMemoryError):
            line(backend, half_a_line)
    again, report = line(backend, half_a_line)
    assert again == expected
    assert report.usage.cached_tokens == 0


@pytest.mark.model
@pytest.mark.parametrize("healed", ['"', "\\", "\f", "\x0b", "\u2028", "é", "名", "😀", "\r\n\t", "[^]"])
def test_whatever_was_typed_can_be_spelled_again(backend: IkLlamaBackend, healed: str) -> None:
    report = Report()
    request = GenerationRequest("", tuple(LONG), healed, sampling=SamplingParams(max_new_tokens=2))
    list(backend.generate(request, report))
    assert report.usage.completion_tokens >= 1


@pytest.mark.model
def test_pieces_are_what_the_vocabulary_of_the_file_says(
    backend: IkLlamaBackend, embedded_gguf: Path
) -> None:
    assert backend._context is not None
    pieces, ends = backend._context.pieces()
    tokenizer = GgufTokenizer(gguf.read(embedded_gguf))
    for text in ("def f(x):\n    return x", "\t\n  ", "é名😀"):
        assert b"".join(pieces[token] for token in tokenizer.encode(text)) == text.encode()
    assert tokenizer.special_id("<|endoftext|>") in ends
    assert not any(pieces[token] for token in ends)


def test_a_file_that_is_no_model_is_refused_in_a_sentence(embedded_gguf: Path, tmp_path: Path) -> None:
    if not ik_llama.runs_here():
        pytest.skip("ik_llama.cpp is not made for this machine")
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(embedded_gguf.read_bytes()[:100_000])
    backend = IkLlamaBackend(cut, GgufTokenizer(gguf.read(embedded_gguf)), Settings())
    with pytest.raises(ModelLoadError, match=r"^llama\.cpp could not load cut\.gguf; "):
        backend.load(lambda _share: None)
    backend.close()


@pytest.mark.model
def test_weights_that_the_library_reads_wrongly_are_left_to_llama_cpp(
    embedded_base: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if not ik_llama.runs_here():
        pytest.skip("ik_llama.cpp is not made for this machine")
    backend = make_backend(Settings(model=str(embedded_base)), lambda _share: None, lambda: False).backend
    backend.load(lambda _share: None)
    backend.close()
    assert backend.name == "llama_cpp"
    assert f"{embedded_base.name} has weights of the type Q4_1" in caplog.text


@pytest.mark.model
def test_a_prompt_is_read_in_one_batch_as_in_small_ones(backend: IkLlamaBackend, embedded_gguf: Path) -> None:
    ids = GgufTokenizer(gguf.read(embedded_gguf)).encode(Path(ik_llama.__file__).read_text())[:96]
    assert backend._decoder is not None
    reader = backend._decoder.reader
    reader.rewind([ids[1], *ids])
    at_once = reader.read_each(ids)
    reader.rewind([ids[1], *ids])
    piecewise = [scores for first in range(0, 96, 8) for scores in reader.read_each(ids[first : first + 8])]
    for one, other in zip(at_once, piecewise, strict=True):
        assert abs(log_likelihoods(one) - log_likelihoods(other)).max() < 0.1


def test_the_common_beginning_of_two_texts() -> None:
    assert common_length([1, 2, 3], [1, 2, 4]) == 2
    assert common_length([1, 2], [1, 2, 3]) == 2
    assert common_length([], [1]) == 0


@pytest.mark.parametrize(
    ("threads", "cores", "expected"), [(0, 2, (1, (2, 1))), (0, 8, (8, (8, 7))), (3, 8, (3, (3,)))]
)
def test_one_of_few_cores_is_left_while_tokens_are_written(
    threads: int, cores: int, expected: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ik_llama, "available_cores", lambda: cores)
    backend = IkLlamaBackend(Path("x"), None, Settings(threads=threads))  # type: ignore[arg-type]
    assert backend._threads() == expected


@pytest.mark.model
@pytest.mark.parametrize(
    ("agreeing", "new_tokens", "is_chosen"), [(40, 20, True), (0, 20, False), (40, 5, False)]
)
def test_a_line_of_the_file_may_be_chosen_behind_what_is_healed(
    backend: IkLlamaBackend, embedded_gguf: Path, agreeing: int, new_tokens: int, is_chosen: bool
) -> None:
    tokenizer = GgufTokenizer(gguf.read(embedded_gguf))
    above, known = "def largest(numbers):\n", LineElsewhere("return numbers[-1]  # they are sorted", agreeing)
    asked = tokenizer.encode(above), tokenizer.encode("\n\n"), new_tokens
    text, report = line(backend, *asked, healed="    ", elsewhere=[known])
    assert (text == known.text) is is_chosen
    if is_chosen:
        assert report.finish_reason == FinishReason.STOP


@pytest.mark.model
def test_where_no_line_of_the_file_is_likely_the_rest_of_a_line_is_written_as_ever(
    backend: IkLlamaBackend, embedded_gguf: Path
) -> None:
    prompt = GgufTokenizer(gguf.read(embedded_gguf)).encode("import os\n\nfor name in")
    plain = GenerationRequest("", tuple(prompt), " os", sampling=SamplingParams(max_new_tokens=12))
    known = LineElsewhere(".environ.keys() or ():", 0)
    report = Report()
    one_line = OneLine((28,), elsewhere=(known,), is_varied=False)
    pieces = [piece for piece in backend.generate(replace(plain, one_line=one_line), report) if piece]
    assert pieces == [piece for piece in backend.generate(plain, Report()) if piece]
    assert len(pieces) > 5
    assert report.finish_reason == FinishReason.LENGTH
    sure = replace(one_line, elsewhere=(known._replace(agreeing=40),))
    assert "".join(backend.generate(replace(plain, one_line=sure), Report())) == known.text
