"""Trains the adapter: python -m training.train LESSONS RUN [--tokens N] [--decay N] [--gguf FILE].

The learning rate rises, stays, and falls to zero over the last ``--decay`` tokens, so that a run whose
``--tokens`` is raised before it decays just goes on. ``RUN`` holds the last checkpoint and the log. A run
that was killed goes on from there with the same lessons in the same order, and ends as if it had not been;
steps that were done twice are twice in the log. Started by ``torchrun``, several processes share each step;
who does which batch is then left to chance, and with it the rounding of the sums.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from peft import PeftModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lsp_server.errors import FimLsError
from training.base import base_weights
from training.dataset import Lessons, batches
from training.loss import batch_loss, validation_loss
from training.model import base_model, with_adapter
from training.processes import Processes

LESSONS_PER_STEP = 16
PREFIX_SHARE = 0.1
"""Of the tokens of a prefix, how many are learned, by lot: a small weight, and its scores cost little."""
LEARNING_RATE, WARMUP_STEPS, CLIP_NORM = 6e-4, 40, 1.0
BETAS, MOMENTS = (0.9, 0.99), ("exp_avg", "exp_avg_sq")
CHECKPOINT_STEPS, VALIDATION_STEPS = 25, 100


class RunError(FimLsError):
    """The checkpoint of a run cannot be gone on from."""


@dataclass
class Progress:
    """How far a run is."""

    step: int = 0
    tokens: int = 0


class Trainer:
    """A run: the adapter that learns, its optimizer, and the folder where both are kept.

    The model computes in bfloat16; what the optimizer changes is a copy of the adapter in float32.

    Args:
        model: with the adapter.
        run: the folder; a checkpoint in it is gone on from.
        tokens: when to be done.
        decay: how many tokens before that the learning rate begins to fall.
        processes: who shares the work.

    Raises:
        RunError: the checkpoint is damaged, or of another model.
    """

    def __init__(self, model: PeftModel, run: Path, tokens: int, decay: int, processes: Processes) -> None:
        self._model, self._run, self._tokens, self._decay = model, run, tokens, decay
        self._processes = processes
        self._weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self._masters = {name: weight.detach().float() for name, weight in self._weights.items()}
        self._optimizer = torch.optim.AdamW(
            self._masters.values(), lr=LEARNING_RATE, betas=BETAS, weight_decay=0.0
        )
        self.progress = Progress()
        run.mkdir(parents=True, exist_ok=True)
        if self._checkpoint.exists():
            self._restore()

    def train(self, lessons: Lessons, held_out: Lessons | None = None, last_step: int | None = None) -> None:
        """Go on until the tokens are used up, the lessons are, or a step is reached."""
        steps = math.ceil(len(lessons) / LESSONS_PER_STEP)
        last_step = steps if last_step is None else min(steps, last_step)
        while self.progress.tokens < self._tokens and self.progress.step < last_step:
            first = self.progress.step * LESSONS_PER_STEP
            self._step(lessons, range(first, min(first + LESSONS_PER_STEP, len(lessons))))
            if held_out and self.progress.step % VALIDATION_STEPS == 0:
                self._log(validation_loss=validation_loss(self._model, held_out))
            if self.progress.step % CHECKPOINT_STEPS == 0:
                self._save()
        self._save()

    def _step(self, lessons: Lessons, numbers: range) -> None:
        started = time.monotonic()
        chosen = {number: lessons.learned(number, random.Random(number), PREFIX_SHARE) for number in numbers}
        learned = sum(map(len, chosen.values()))
        loss = torch.zeros(())
        for batch in self._processes.share(self.progress.step, list(batches(lessons, numbers))):
            part = batch_loss(self._model, lessons, batch, chosen) / learned
            part.backward()  # type: ignore[no-untyped-call]
            self._collect()
            loss += part.detach()
        loss = self._add_up(loss)
        rate = self._rate()
        self._update(rate)
        tokens = sum(map(lessons.length, numbers))
        self.progress.step += 1
        self.progress.tokens += tokens
        self._log(loss=loss.item(), rate=rate, tokens_per_s=tokens / (time.monotonic() - started))

    def _collect(self) -> None:
        """Add up the gradients of the batches in float32."""
        for name, weight in self._weights.items():
            if weight.grad is not None:
                before = self._masters[name].grad
                self._masters[name].grad = weight.grad.float() if before is None else before + weight.grad
                weight.grad = None

    def _add_up(self, loss: Tensor) -> Tensor:
        """Add up the loss and the gradients of all processes; one that did no batch adds nothing."""
        masters = self._masters.values()
        gradients = [torch.zeros_like(master) if master.grad is None else master.grad for master in masters]
        loss, *summed = self._processes.add_up([loss, *gradients])
        for master, gradient in zip(masters, summed, strict=True):
            master.grad = gradient
        return loss

    def _rate(self) -> float:
        rising = (self.progress.step + 1) / WARMUP_STEPS
        falling = (self._tokens - self.progress.tokens) / max(1, self._decay)
        return LEARNING_RATE * min(1.0, rising, falling)

    def _update(self, rate: float) -> None:
        torch.nn.utils.clip_grad_norm_(self._masters.values(), CLIP_NORM)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._compute_with_masters()

    def _compute_with_masters(self) -> None:
        for name, weight in self._weights.items():
            weight.data.copy_(self._masters[name])

    @property
    def _checkpoint(self) -> Path:
        return self._run / "checkpoint.safetensors"

    def _save(self) -> None:
        """Write everything that the next step depends on, or leave the file as it is."""
        if not self._processes.is_first:
            return
        tensors = {}
        for name, master in self._masters.items():
            state = self._optimizer.state.get(master, {})
            tensors[name] = master
            tensors |= {f"{moment} {name}": state[moment] for moment in MOMENTS if moment in state}
        partial = self._checkpoint.with_suffix(".partial")
        save_file(tensors, partial, {key: str(value) for key, value in asdict(self.progress).items()})
        partial.replace(self._checkpoint)

    def _restore(self) -> None:
        try:
            self._read_checkpoint()
        except (SafetensorError, RuntimeError, AttributeError, TypeError, ValueError) as error:
            message = f"{self._checkpoint} is damaged or of another model: move it away to begin anew."
            raise RunError(message) from error
        self._compute_with_masters()

    def _read_checkpoint(self) -> None:
        with safe_open(self._checkpoint, "pt") as file:
            self.progress = Progress(**{key: int(value) for key, value in file.metadata().items()})
            kept = set(file.keys())
            for name, master in self._masters.items():
                master.copy_(file.get_tensor(name))
                if f"exp_avg {name}" in kept:
                    state = {moment: file.get_tensor(f"{moment} {name}") for moment in MOMENTS}
                    self._optimizer.state[master] = {"step": torch.tensor(float(self.progress.step)), **state}

    def _log(self, **figures: float) -> None:
        if not self._processes.is_first:
            return
        entry = {**asdict(self.progress), **{name: round(figure, 6) for name, figure in figures.items()}}
        with (self._run / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")


def main() -> None:
    """Train, or go on with a run."""
    parser = argparse.ArgumentParser(description="Trains the adapter.")
    parser.add_argument("lessons", type=Path, help="the file that training.prepare wrote")
    parser.add_argument("run", type=Path, help="the folder for checkpoints and log")
    parser.add_argument("--held-out", type=Path, help="lessons of held-out packages, for the validation loss")
    parser.add_argument("--tokens", type=int, default=4_500_000, help="when to stop (default: %(default)s)")
    parser.add_argument("--decay", type=int, default=900_000, help="tokens over which the rate falls to zero")
    parser.add_argument("--steps", type=int, help="stop at this step even so, to try things")
    parser.add_argument("--gguf", type=Path, help="the base model, if not the one the server fetches")
    options = parser.parse_args()
    torch.manual_seed(0)
    processes = Processes()
    try:
        lessons = Lessons(options.lessons)
        held_out = Lessons(options.held_out) if options.held_out else None
        model = with_adapter(base_model(options.gguf or base_weights()))
        trainer = Trainer(model, options.run, options.tokens, options.decay, processes)
    except FimLsError as error:
        sys.exit(f"training.train: {error}")
    trainer.train(lessons, held_out, options.steps)
    processes.end()
    if processes.is_first:
        print(f"{trainer.progress.step} steps, {trainer.progress.tokens} tokens")


if __name__ == "__main__":
    main()
