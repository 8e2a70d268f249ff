"""Makes the lessons: python -m training.prepare CORPUS OUT [--lessons N] [--stage 1|2] [--seed S].

Writes ``OUT/lessons.safetensors``: the ids of all lessons in a row, and where each begins, where its prefix
and where its middle. The order is the one they are trained in.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lsp_server.completion.fim import Snippet, Tokenizer
from lsp_server.errors import FimLsError
from lsp_server.models import gguf
from lsp_server.models.tokenizer import GgufTokenizer
from training.base import base_weights
from training.dataset import LessonsError, save
from training.lessons import STAGES, Lesson, Teacher


def corpus_files(corpus: Path) -> list[dict[str, Any]]:
    """The files of a corpus, each with its ``package``, ``path`` and ``text``.

    Raises:
        LessonsError: there is no corpus, or there is nothing in it.
    """
    path = corpus / "files.jsonl"
    if not path.exists():
        message = f"There is no {path} yet: make the corpus first, with training.corpus."
        raise LessonsError(message)
    with path.open(encoding="utf-8") as lines:
        files = [json.loads(line) for line in lines]
    if not files:
        message = f"There is nothing in {path} to make lessons of."
        raise LessonsError(message)
    return files


def lessons(
    files: Sequence[dict[str, Any]], tokenizer: Tokenizer, wanted: int, seed: int, stage: int = 1
) -> Iterator[Lesson]:
    """About ``wanted`` lessons of all files together, more of long files than of short ones."""
    rng = random.Random(seed)
    teacher = Teacher(tokenizer, rng, STAGES[stage])
    siblings: dict[str, list[Snippet]] = defaultdict(list)
    for file in files:
        siblings[file["package"]].append(Snippet(file["path"], file["text"]))
    per_character = wanted / sum(len(file["text"]) ** 0.75 for file in files)
    for file in files:
        expected = per_character * len(file["text"]) ** 0.75
        number = int(expected) + (rng.random() < expected % 1)
        others = [other for other in siblings[file["package"]] if other.path != file["path"]]
        yield from teacher.lessons(file["path"], file["text"], others, number)


def prepare(
    corpus: Path, out: Path, tokenizer: Tokenizer, wanted: int, seed: int, *, stage: int = 1
) -> list[Lesson]:
    """Make, mix and save the lessons of a corpus.

    Raises:
        LessonsError: there is no corpus, or it gives no lessons.
    """
    found = list(lessons(corpus_files(corpus), tokenizer, wanted, seed, stage))
    if not found:
        message = f"The files of {corpus} give no lessons."
        raise LessonsError(message)
    random.Random(seed).shuffle(found)
    save(found, out / "lessons.safetensors")
    return found


def main() -> None:
    """Make the lessons of a corpus."""
    parser = argparse.ArgumentParser(description="Makes the lessons of a corpus.")
    parser.add_argument("corpus", type=Path, help="the folder that training.corpus wrote")
    parser.add_argument("out", type=Path, help="the folder for lessons.safetensors")
    parser.add_argument("--lessons", type=int, default=40_000, help="about how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="for all that is left to chance (%(default)s)")
    parser.add_argument("--stage", type=int, choices=STAGES, default=1, help="of the training (%(default)s)")
    parser.add_argument("--gguf", type=Path, help="the base model, if not the one the server fetches")
    options = parser.parse_args()
    try:
        tokenizer = GgufTokenizer(gguf.read(options.gguf or base_weights()))
        found = prepare(
            options.corpus, options.out, tokenizer, options.lessons, options.seed, stage=options.stage
        )
    except FimLsError as error:
        sys.exit(f"training.prepare: {error}")
    tokens = sum(len(lesson.ids) for lesson in found)
    print(f"{len(found)} lessons, {tokens} tokens, {tokens // len(found)} each")


if __name__ == "__main__":
    main()
