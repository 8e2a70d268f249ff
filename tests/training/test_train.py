from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM

from training import loss, train
from training.dataset import Lessons, save
from training.lessons import Lesson
from training.loss import batch_loss, validation_loss
from training.model import ATTENTION, with_adapter
from training.processes import Processes
from training.train import CHECKPOINT_STEPS, LEARNING_RATE, LESSONS_PER_STEP, WARMUP_STEPS, RunError, Trainer

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")

VOCABULARY = 50
STEPS = 6


@pytest.fixture(autouse=True)
def one_thread():
    """Matrices this small only wait for a second one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny_model(dtype: torch.dtype = torch.bfloat16, hidden: int = 32):
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=hidden,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        attn_implementation=ATTENTION,
    )
    return with_adapter(LlamaForCausalLM(config).to(dtype))


@pytest.fixture
def lessons(tmp_path: Path) -> Lessons:
    """Enough for all steps, the last of which has not all of its lessons."""
    rng = random.Random(1)
    number = STEPS * LESSONS_PER_STEP - 5
    save([random_lesson(rng) for _ in range(number)], tmp_path / "lessons.safetensors")
    return Lessons(tmp_path / "lessons.safetensors")


def random_lesson(rng: random.Random) -> Lesson:
    length = rng.randint(20, 90)
    return Lesson(tuple(rng.randrange(VOCABULARY) for _ in range(length)), length // 3, length // 2)


def trainer(run: Path, tokens: int = 10**6, decay: int = 1) -> Trainer:
    return Trainer(tiny_model(), run, tokens, decay, Processes())


def masters(trained: Trainer) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in trained._masters.items()}


def log(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def assert_same(first: Trainer, second: Trainer) -> None:
    assert first.progress == second.progress
    for name, master in masters(first).items():
        assert torch.equal(master, second._masters[name]), name
        assert torch.equal(first._weights[name], second._weights[name]), name


def test_a_run_that_was_stopped_goes_on_with_exactly_the_same_numbers(
    tmp_path: Path, lessons: Lessons
) -> None:
    whole = trainer(tmp_path / "whole")
    whole.train(lessons)
    trainer(tmp_path / "halves").train(lessons, last_step=STEPS // 2)
    second_half = trainer(tmp_path / "halves")
    assert second_half.progress.step == STEPS // 2
    second_half.train(lessons)
    assert_same(whole, second_half)
    assert whole.progress.step == STEPS


def test_a_run_that_was_killed_goes_on_from_its_last_checkpoint(
    tmp_path: Path, lessons: Lessons, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trainer(tmp_path / "whole")
    whole.train(lessons)
    monkeypatch.setattr(train, "CHECKPOINT_STEPS", 2)
    killed = trainer(tmp_path / "killed")
    take_step = killed._step

    def killed_in_the_fourth(of: Lessons, numbers: range) -> None:
        if killed.progress.step == 3:
            raise KeyboardInterrupt
        take_step(of, numbers)

    monkeypatch.setattr(killed, "_step", killed_in_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        killed.train(lessons)
    again = trainer(tmp_path / "killed")
    assert again.progress.step == 2
    again.train(lessons)
    assert_same(whole, again)
    assert [entry["step"] for entry in log(tmp_path / "killed")] == [1, 2, 3, 3, 4, 5, 6]


def test_a_crash_while_saving_leaves_the_old_checkpoint(
    tmp_path: Path, lessons: Lessons, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer(tmp_path / "run").train(lessons, last_step=1)

    def crash(_tensors, path: Path, _metadata) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(train, "save_file", crash)
        with pytest.raises(OSError, match="No space"):
            trainer(tmp_path / "run").train(lessons, last_step=2)
    assert trainer(tmp_path / "run").progress.step == 1


def test_a_run_that_is_done_stays_as_it_is(tmp_path: Path, lessons: Lessons) -> None:
    done = trainer(tmp_path / "run", tokens=1)
    done.train(lessons)
    assert done.progress.step == 1
    again = trainer(tmp_path / "run", tokens=1)
    again.train(lessons)
    assert_same(done, again)


@pytest.mark.parametrize("damage", [lambda file: file[:-1], lambda _: b"", lambda _: b"x" * 100])
def test_a_damaged_checkpoint_ends_in_a_sentence(tmp_path: Path, lessons: Lessons, damage) -> None:
    trainer(tmp_path).train(lessons, last_step=1)
    checkpoint = tmp_path / "checkpoint.safetensors"
    checkpoint.write_bytes(damage(checkpoint.read_bytes()))
    with pytest.raises(RunError, match="damaged or of another model: move it away"):
        trainer(tmp_path)


def test_the_checkpoint_of_another_model_ends_in_a_sentence(tmp_path: Path, lessons: Lessons) -> None:
    trainer(tmp_path).train(lessons, last_step=1)
    with pytest.raises(RunError, match="another model"):
        Trainer(tiny_model(hidden=16), tmp_path, 1, 1, Processes())


def test_only_the_adapter_learns(tmp_path: Path, lessons: Lessons) -> None:
    run = trainer(tmp_path)
    before = {name: weight.detach().clone() for name, weight in run._model.named_parameters()}
    run.train(lessons, last_step=2)
    changed = {n for n, weight in run._model.named_parameters() if not torch.equal(weight, before[n])}
    assert changed
    assert all(".lora_" in name for name in changed)


def test_the_loss_falls_on_lessons_that_repeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "WARMUP_STEPS", 1)
    save([Lesson((1, 2, 3, 4, 5, 6, 7, 0), 2, 4)] * (20 * LESSONS_PER_STEP), tmp_path / "lessons.safetensors")
    trainer(tmp_path / "run").train(Lessons(tmp_path / "lessons.safetensors"))
    losses = [entry["loss"] for entry in log(tmp_path / "run")]
    assert losses[-1] < losses[0] - 0.05


def rates(path: Path, lessons: Lessons, tokens: int, decay: int) -> list[float]:
    trainer(path, tokens, decay).train(lessons)
    return [entry["rate"] for entry in log(path)]


def test_the_learning_rate_rises_stays_and_falls_to_zero(
    tmp_path: Path, lessons: Lessons, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "WARMUP_STEPS", 2)
    every = sum(lessons.length(number) for number in range(len(lessons)))
    last = sum(lessons.length(number) for number in range((STEPS - 1) * LESSONS_PER_STEP, len(lessons)))
    found = rates(tmp_path / "falls", lessons, every, 2 * last)
    assert found[:4] == [LEARNING_RATE / 2, *[LEARNING_RATE] * 3]
    assert found[5] == pytest.approx(LEARNING_RATE / 2, abs=1e-6)
    assert found[4] > found[5]


def test_a_run_whose_tokens_are_raised_before_it_decays_just_goes_on(
    tmp_path: Path, lessons: Lessons
) -> None:
    trainer(tmp_path / "a", tokens=10**6).train(lessons, last_step=3)
    longer = trainer(tmp_path / "a", tokens=10**7)
    longer.train(lessons)
    whole = trainer(tmp_path / "b", tokens=10**7)
    whole.train(lessons)
    assert_same(longer, whole)


def test_the_first_steps_are_small(tmp_path: Path, lessons: Lessons) -> None:
    trainer(tmp_path / "run").train(lessons, last_step=1)
    assert log(tmp_path / "run")[0]["rate"] == pytest.approx(LEARNING_RATE / WARMUP_STEPS, abs=1e-6)
    assert CHECKPOINT_STEPS < WARMUP_STEPS


def test_the_loss_of_a_batch_is_that_of_its_lessons_one_by_one(lessons: Lessons) -> None:
    model = tiny_model(torch.float32)
    numbers = [0, 1, 2]
    chosen = {number: lessons.learned(number, random.Random(number), 0.5) for number in numbers}
    together = batch_loss(model, lessons, numbers, chosen)
    alone = 0.0
    for number in numbers:
        ids = lessons.ids(number)
        scores = model(input_ids=ids[None]).logits[0]
        for at in chosen[number]:
            alone += functional.cross_entropy(scores[at - 1], ids[at]).item()
    assert together.item() == pytest.approx(alone, rel=1e-5)


def test_the_validation_loss_is_the_mean_over_the_middles(
    lessons: Lessons, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss, "VALIDATION_LESSONS", 3)
    model = tiny_model(torch.float32)
    middles = {number: lessons.learned(number, random.Random(), 0.0) for number in range(3)}
    expected = batch_loss(model, lessons, [0, 1, 2], middles).item() / sum(map(len, middles.values()))
    assert validation_loss(model, lessons) == pytest.approx(expected, rel=1e-5)


def test_the_validation_loss_is_logged_and_changes_nothing(
    tmp_path: Path, lessons: Lessons, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "VALIDATION_STEPS", 1)
    with_it, without = trainer(tmp_path / "with"), trainer(tmp_path / "without")
    with_it.train(lessons, lessons, last_step=2)
    without.train(lessons, last_step=2)
    assert ["validation_loss" in entry for entry in log(tmp_path / "with")] == [False, True] * 2
    assert_same(with_it, without)
