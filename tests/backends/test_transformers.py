"""Our decode loop: the same text as the library's, but it can be left, kept warm and healed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lsp_server.backends import decoding
from lsp_server.backends import transformers as ours
from lsp_server.backends.base import (
    PREFILL_PIECE_TOKENS,
    FinishReason,
    GenerationRequest,
    OneLine,
    Report,
    SamplingParams,
)
from lsp_server.completion.elsewhere import LineElsewhere
from lsp_server.completion.fim import split_healed
from lsp_server.errors import BackendError, OutOfMemoryError
from lsp_server.settings import Settings


class Bench:
    """A loaded backend, and how often its model was run."""

    def __init__(self, checkpoint: Path) -> None:
        self.backend = ours.TransformersBackend(checkpoint, Settings(device="cpu", threads=1))
        self.tokenizer = self.backend.load(lambda _share: None).tokenizer
        assert self.backend._decoder is not None
        self.loaded = self.backend._decoder
        self.model = self.loaded.reader._model
        self.runs = 0
        self.model.register_forward_hook(self._count)

    def _count(self, *_args: object) -> None:
        self.runs += 1

    def request(
        self, text: str, healed: str = "", max_new_tokens: int = 12, **rest: Any
    ) -> GenerationRequest:
        assert self.tokenizer is not None
        sampling = SamplingParams(max_new_tokens, **rest.pop("sampling", {}))
        return GenerationRequest(text, tuple(self.tokenizer.encode(text)), healed, sampling=sampling, **rest)

    def run(self, request: GenerationRequest) -> tuple[str, Report]:
        report = Report()
        return "".join(self.backend.generate(request, report)), report

    def spelled(self, request: GenerationRequest) -> str:
        """All that the model writes, healed text included."""
        return "".join(decoding._Generation(self.loaded, request, Report()).pieces())


@pytest.fixture(scope="module")
def shared(tiny_checkpoint: Path) -> Iterator[Bench]:
    bench = Bench(tiny_checkpoint)
    yield bench
    bench.backend.close()


@pytest.fixture
def bench(shared: Bench) -> Bench:
    """A bench with a cold cache."""
    shared.loaded.reader.forget()
    shared.runs = 0
    return shared


def library_text(bench: Bench, request: GenerationRequest, limit: int) -> str:
    import torch

    ids = torch.tensor([list(request.ids or ())])
    written = bench.model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=limit, do_sample=False, pad_token_id=0
    )
    vocabulary = bench.loaded.vocabulary
    pieces = b"".join(vocabulary.piece(int(token)) for token in written[0, ids.shape[1] :])
    return pieces.decode(errors="replace")


SMALL = {"vocab_size": 810, "bos_token_id": 0, "eos_token_id": 0, "initializer_range": 0.6}
LLAMA = {"num_hidden_layers": 2, "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4}
GPT2 = {"n_layer": 2, "n_embd": 32, "n_head": 4}
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "Llama": LLAMA,
    "Qwen2": {**LLAMA, "num_key_value_heads": 2},
    "Starcoder2": {**LLAMA, "num_key_value_heads": 2, "sliding_window": 64},
    "GPT2": GPT2,
    "GPTBigCode": GPT2,
    "CodeGen": {**GPT2, "n_head": 8, "rotary_dim": 4, "n_inner": 64},
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_our_loop_writes_what_the_library_writes(
    name: str, code: str, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    import torch
    import transformers

    torch.manual_seed(11)
    config = getattr(transformers, f"{name}Config")(**SMALL, **ARCHITECTURES[name])
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    tiny_tokenizer.save_pretrained(tmp_path)
    bench = Bench(tmp_path)
    request = bench.request(code[:1500], max_new_tokens=20)
    assert len(request.ids or ()) > 2 * PREFILL_PIECE_TOKENS
    text, _ = bench.run(request)
    assert text
    expected = library_text(bench, request, 20)
    assert expected.rstrip("\ufffd").startswith(text.rstrip("\ufffd"))
    assert len(expected) - len(text) <= 1, "at most half a character is held back"
    bench.backend.close()


def test_a_closed_generation_stops_at_its_next_token(bench: Bench) -> None:
    pieces = bench.backend.generate(bench.request("def f", max_new_tokens=50), Report())
    next(pieces)
    next(pieces)
    done = bench.runs
    pieces.close()
    assert done == bench.runs == 2


def test_a_line_is_chosen_among_several_behind_a_prompt_that_is_read_once(bench: Bench, code: str) -> None:
    request = bench.request(code[:300], max_new_tokens=6)
    bench.run(request)
    following = tuple(bench.backend.tokenizer().encode("\nreturn"))
    text, report = bench.run(replace(request, one_line=OneLine(following)))
    assert text
    assert "\n" not in text.lstrip("\n")
    assert report.searches
    assert bench.run(request)[1].usage.cached_tokens == len(request.ids or ()) - 1


def test_the_rest_of_a_line_goes_on_behind_lines_that_were_only_weighed(bench: Bench, code: str) -> None:
    request = replace(bench.request(code[:300], max_new_tokens=12), healed=" ")
    text, report = bench.run(request)
    one_line = OneLine(elsewhere=(LineElsewhere(code[300:310].strip(), 3),), is_varied=False)
    again, weighed = bench.run(replace(request, one_line=one_line))
    assert again == text
    assert weighed.finish_reason == report.finish_reason
    assert weighed.usage.completion_tokens == report.usage.completion_tokens


def test_a_closed_line_stops_at_its_next_token(bench: Bench) -> None:
    request, report = replace(bench.request("def f", max_new_tokens=50), one_line=OneLine()), Report()
    pieces = bench.backend.generate(request, report)
    assert [next(pieces) for _ in range(4)] == [""] * 4
    done = bench.runs
    pieces.close()
    assert done == bench.runs == 4
    assert report.usage.completion_tokens == 3


def test_a_closed_prefill_stops_at_its_next_piece(bench: Bench, code: str) -> None:
    request, report = bench.request(code[:2500]), Report()
    pieces = bench.backend.generate(request, report)
    assert next(pieces) == ""
    pieces.close()
    assert bench.runs == 1
    assert report.usage.prompt_tokens == PREFILL_PIECE_TOKENS < len(request.ids or ()) // 3
    assert report.usage.completion_tokens == 0
    assert bench.run(request)[1].usage.cached_tokens == PREFILL_PIECE_TOKENS


def test_a_prompt_is_read_once_however_often_it_is_asked(bench: Bench, code: str) -> None:
    request = bench.request(code[:800], max_new_tokens=1)
    bench.run(request)
    bench.runs = 0
    assert bench.run(request)[1].usage.cached_tokens == len(request.ids or ()) - 1
    assert bench.runs == 1


def test_typing_on_gives_the_text_of_a_cold_run(bench: Bench, code: str) -> None:
    requests = [bench.request(code[:end]) for end in (700, 705, 712, 690, 30, 712)]
    warm = [bench.run(request)[0] for request in requests]
    for request, text in zip(requests, warm, strict=True):
        bench.loaded.reader.forget()
        assert bench.run(request)[0] == text


@pytest.mark.parametrize("cut", range(300, 420, 7))
def test_what_is_healed_is_spelled_before_anything_else(bench: Bench, code: str, cut: int) -> None:
    prefix, healed = split_healed(code[:cut])
    for temperature in (0.0, 1.2):
        request = bench.request(prefix, healed, sampling={"temperature": temperature, "seed": cut})
        whole = bench.spelled(request)
        assert whole.startswith(healed)
        assert bench.run(request)[0] == whole[len(healed) :]


@pytest.mark.parametrize("healed", ["é", " ☃", "日本語", "\n\t\t", "x" * 64])
def test_anything_can_be_healed(bench: Bench, healed: str) -> None:
    request = bench.request("name =", healed, max_new_tokens=3)
    assert bench.spelled(request).startswith(healed)


def test_healed_tokens_do_not_count_against_the_limit(bench: Bench) -> None:
    _, report = bench.run(bench.request("x", "☃☃☃", max_new_tokens=1))
    assert report.finish_reason == FinishReason.LENGTH
    assert report.usage.completion_tokens > 3


def play(bench: Bench, tokens: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the model choose these tokens."""
    chosen = iter(tokens)
    monkeypatch.setattr(decoding.Sampler, "choose", lambda _self, _scores: next(chosen))


def test_no_piece_ends_within_a_character(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench.tokenizer is not None
    tokens = bench.tokenizer.encode("é☃🐎")
    assert len(tokens) > 3
    play(bench, tokens, monkeypatch)
    pieces = list(bench.backend.generate(bench.request("x", max_new_tokens=len(tokens)), Report()))
    assert "".join(pieces) == "é☃🐎"
    assert set(pieces) <= {"", "é", "☃", "🐎"}


def test_half_a_character_at_the_end_is_left_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench.tokenizer is not None
    tokens = bench.tokenizer.encode("a🐎")[:-1]
    play(bench, tokens, monkeypatch)
    assert bench.run(bench.request("x", max_new_tokens=len(tokens)))[0] == "a"


def test_special_pieces_are_never_text(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench.tokenizer is not None
    fim_prefix = bench.tokenizer.special_id("<fim_prefix>")
    play(bench, [fim_prefix or 0, *bench.tokenizer.encode("a")], monkeypatch)
    assert bench.run(bench.request("x", max_new_tokens=2))[0] == "a"


@pytest.mark.parametrize("whose", ["the request's", "the checkpoint's"])
def test_a_stop_token_ends_the_text_and_is_not_part_of_it(
    bench: Bench, whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bench.tokenizer is not None
    tokens = bench.tokenizer.encode("abc")
    stop = tokens[-1] if whose == "the request's" else 0
    play(bench, [*tokens[:-1], stop], monkeypatch)
    text, report = bench.run(bench.request("x", stop_ids=frozenset(tokens[-1:])))
    assert text == "abc"[: len(text)]
    assert len(text) < 3
    assert report.finish_reason == FinishReason.STOP
    assert report.usage.completion_tokens == len(tokens) - 1


def test_the_end_of_the_context_ends_the_text(bench: Bench, code: str) -> None:
    limit = bench.loaded.context_tokens
    ids = tuple((bench.tokenizer.encode(code) if bench.tokenizer else [])[: limit - 2])
    _, report = bench.run(GenerationRequest("", ids, sampling=SamplingParams(50)))
    assert report.finish_reason == FinishReason.LENGTH
    assert report.usage.completion_tokens == 2


def test_a_prompt_beyond_the_context_is_refused(bench: Bench) -> None:
    with pytest.raises(BackendError, match="1024 tokens, but the model takes 1023"):
        bench.run(GenerationRequest("", (5,) * 1024))


def test_a_model_that_failed_works_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def full(*_args: object, **_options: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    request = bench.request("def f(")
    text, _ = bench.run(request)
    with monkeypatch.context() as patch:
        patch.setattr(bench.model, "forward", full)
        with pytest.raises(OutOfMemoryError):
            bench.run(bench.request("def f(x"))
    assert bench.run(request)[0] == text


def test_a_backend_that_is_not_loaded_says_so(tiny_checkpoint: Path) -> None:
    backend = ours.TransformersBackend(tiny_checkpoint, Settings())
    with pytest.raises(BackendError, match="not loaded"):
        next(backend.generate(GenerationRequest("x"), Report()))


def test_the_tokenizer_is_had_without_weights(tiny_checkpoint: Path) -> None:
    tokenizer = ours.TransformersBackend(tiny_checkpoint, Settings()).tokenizer()
    assert tokenizer.special_id("<fim_middle>") == 2


def test_backends_are_imported_without_a_model_library() -> None:
    program = (
        "import sys\n"
        "from lsp_server.backends import echo, openai, transformers\n"
        "loaded = {'torch', 'transformers', 'httpx', 'tokenizers', 'huggingface_hub'} & set(sys.modules)\n"
        "sys.exit(', '.join(loaded) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
