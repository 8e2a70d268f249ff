"""What a corpus must not repeat: texts that it holds already, and problems of the benchmarks."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from datasketch import MinHash, MinHashLSH

_WORD = re.compile(r"\w+")
_NUMBERS = re.compile(r"[\d ]+")
_SENTENCE_END = re.compile(r"\.\s|\.$|>>>|\n\s*\n")
_MBPP = re.compile(r"\bwrite a (python )?function (to|that|which)\b|\bmbpp\b", re.IGNORECASE)


class Deduplicator:
    """Knows the texts it was shown, word for word and by MinHash over runs of words."""

    def __init__(self, threshold: float = 0.7, run_words: int = 5) -> None:
        self._run_words = run_words
        self._hashes: set[bytes] = set()
        self._near = MinHashLSH(threshold=threshold)

    def is_new(self, text: str) -> bool:
        """Whether no text shown before is this one or nearly this one; it is remembered if so."""
        words = _WORD.findall(text)
        digest = hashlib.sha256(" ".join(words).encode()).digest()
        if digest in self._hashes:
            return False
        signature = MinHash()
        signature.update_batch([run.encode() for run in runs(words, self._run_words)])
        if self._near.query(signature):
            return False
        self._hashes.add(digest)
        self._near.insert(digest, signature)
        return True


def runs(words: list[str], length: int) -> set[str]:
    """Every run of so many words, as one text; the whole as one if it is shorter."""
    return {" ".join(words[start : start + length]) for start in range(max(1, len(words) - length + 1))}


@dataclass(frozen=True)
class Problem:
    """A problem of a benchmark: the function it asks for, its prompt up to the body, and its answer."""

    function: str
    prompt: str
    solution: str

    @property
    def opening(self) -> str:
        """The first sentence of the docstring, as lower-case words."""
        body = self.prompt.rpartition(f"def {self.function}")[2].replace("'''", '"""')
        docstring = body.partition('"""')[2].strip()
        return " ".join(_WORD.findall(_SENTENCE_END.split(docstring, maxsplit=1)[0].lower()))


class Benchmarks:
    """Recognises files that hold a problem of HumanEval, or read like one of MBPP.

    No package ships MBPP's problems, so they are known by their name and their common opening only.
    """

    def __init__(self, problems: Iterable[Problem], run_words: int = 10) -> None:
        self._run_words = run_words
        self._runs: set[str] = set()
        self._openings: dict[str, str] = {}
        for problem in problems:
            self._openings[problem.function] = problem.opening
            self._runs |= self._runs_of(problem.prompt) | self._runs_of(problem.solution)

    def holds(self, text: str) -> bool:
        """Whether a text shares ten words in a row with a problem, or has its function and docstring."""
        if _MBPP.search(text) or not self._runs.isdisjoint(self._runs_of(text)):
            return True
        words = _WORD.findall(text.lower())
        functions = {name for before, name in pairwise(words) if before == "def"}
        joined = " ".join(words)
        return any(self._openings[name] in joined for name in functions & self._openings.keys())

    def _runs_of(self, text: str) -> set[str]:
        """The runs of words in a text; a count from one to ten is nobody's."""
        words = _WORD.findall(text.lower())
        if len(words) < self._run_words:
            return set()
        return {run for run in runs(words, self._run_words) if not _NUMBERS.fullmatch(run)}


def human_eval(archive: bytes) -> Iterator[Problem]:
    """The problems in HumanEval's own file, JSON lines in gzip."""
    for line in gzip.decompress(archive).splitlines():
        entry = json.loads(line)
        yield Problem(entry["entry_point"], entry["prompt"], entry["canonical_solution"])
