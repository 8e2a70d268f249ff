from __future__ import annotations

from collections.abc import Iterator

import pytest

from lsp_server.backends.base import FinishReason, GenerationRequest, Report, SamplingParams
from lsp_server.backends.echo import SCRIPT_VARIABLE, CharacterTokenizer, EchoBackend, Script
from lsp_server.completion.fim import FORMATS, FimPrompt, render
from lsp_server.errors import BackendError, SettingsError


def said(script: Script, prompt: str = "x = ", **request: object) -> str:
    pieces = EchoBackend(script).generate(GenerationRequest(prompt, **request), Report())  # type: ignore[arg-type]
    return "".join(pieces)


def test_it_says_what_it_was_told() -> None:
    assert said(Script("a + b\n  c")) == "a + b\n  c"


def test_the_first_key_found_in_the_prompt_chooses_the_answer() -> None:
    script = Script("other", {"add(": "a + b", "def": "pass"})
    assert said(script, "def add(a, b): ") == "a + b"
    assert said(script, "def f(): ") == "pass"
    assert said(script, "x = ") == "other"


def test_further_candidates_may_say_something_else() -> None:
    script = Script("first", others=("second", "third"))
    candidates = [said(script, sampling=SamplingParams(seed=seed)) for seed in range(4)]
    assert candidates == ["first", "second", "third", "second"]


def test_the_healed_text_counts_as_prompt() -> None:
    assert said(Script(answers={"retu": "rn"}), "def f():\n   ", healed=" retu") == "rn"


def test_words_come_one_by_one_and_are_counted_as_tokens() -> None:
    report = Report()
    request = GenerationRequest("x", sampling=SamplingParams(max_new_tokens=3))
    assert list(EchoBackend(Script("a = b + c")).generate(request, report)) == ["", "a", " =", " b"]
    assert (report.finish_reason, report.usage.completion_tokens) == (FinishReason.LENGTH, 3)


def test_the_gate_is_asked_before_each_piece() -> None:
    asked: list[int] = []
    pieces: Iterator[str] = EchoBackend(Script("a b"), gate=lambda: asked.append(1)).generate(
        GenerationRequest("x"), Report()
    )
    seen = [(piece, len(asked)) for piece in pieces]
    assert seen == [("", 0), ("a", 1), (" b", 2)]


def test_it_fails_behind_its_text_when_told_to() -> None:
    pieces = EchoBackend(Script("a", fail="The card is gone.")).generate(GenerationRequest("x"), Report())
    assert [next(pieces), next(pieces)] == ["", "a"]
    with pytest.raises(BackendError, match="The card is gone"):
        next(pieces)


def test_it_falls_silent_behind_its_text_when_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    class AsleepError(Exception):
        pass

    def sleep(_seconds: float) -> None:
        raise AsleepError

    pieces = EchoBackend(Script("a", hang=True), gate=lambda: None).generate(GenerationRequest("x"), Report())
    monkeypatch.setattr("time.sleep", sleep)
    assert [next(pieces), next(pieces)] == ["", "a"]
    with pytest.raises(AsleepError):
        next(pieces)


def test_it_prints_like_a_careless_library_when_told_to(capfd: pytest.CaptureFixture[str]) -> None:
    said(Script("a", print=True))
    assert capfd.readouterr().out == "echo: a line that belongs nowhere\necho: another one\n"


def test_the_script_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SCRIPT_VARIABLE, '{"text": "return a", "delay_ms": 0, "print": false}')
    assert Script.from_environment() == Script("return a")
    monkeypatch.delenv(SCRIPT_VARIABLE)
    assert Script.from_environment() == Script()


@pytest.mark.parametrize("value", ["{", "[]", '{"txt": "a"}', "1"])
def test_a_script_that_cannot_be_read_names_the_fields(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SCRIPT_VARIABLE, value)
    with pytest.raises(SettingsError, match="text, answers, delay_ms, print, fail, hang"):
        EchoBackend()


@pytest.mark.parametrize("name", FORMATS)
def test_its_tokenizer_serves_every_format(name: str) -> None:
    rendered = render(FimPrompt("<fim_prefix>é", "y"), FORMATS[name], CharacterTokenizer(), heal=False)
    assert rendered.ids is not None
    assert {ord(character) for character in "<fim_prefix>é"} <= set(rendered.ids)
    assert not {ord(character) for character in "<é"} & rendered.stop_ids
