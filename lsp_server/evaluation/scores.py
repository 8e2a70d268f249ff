"""How good an answer is: measures, each a number from 0 to 1, and what they come to over many answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from lsp_server.completion.text import is_closing_line
from lsp_server.evaluation.holes import Hole

RESAMPLES = 1000
SHORTEST_TELLING_LINE = 3
"""A line of fewer characters stands in a file many times."""
BLOCK_TOLERANCE_LINES = 1


@dataclass(frozen=True)
class Answer:
    """What came for a hole.

    Attributes:
        text: what would be inserted; empty if nothing would.
        finished: whether it ended by itself or by a rule, not by the bound on tokens.
        asked: whether the model was asked at all.
        reason: why it ended, or what left nothing of it.
        milliseconds: from the request to the answer.
        tokens: how many were generated.
    """

    text: str
    finished: bool = True
    asked: bool = True
    reason: str = ""
    milliseconds: float = 0.0
    tokens: int = 0

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to show."""
        return not self.text.strip()


def exact(hole: Hole, answer: Answer) -> float | None:
    """Whether it is what stood there; white space at the end does not count."""
    return float(answer.text.rstrip() == hole.truth.rstrip()) if hole.truth else None


def similarity(hole: Hole, answer: Answer) -> float | None:
    """1 less the edit distance to what stood there, as a share of the longer text."""
    return edit_similarity(answer.text.rstrip(), hole.truth.rstrip()) if hole.truth else None


def next_line(hole: Hole, answer: Answer) -> float | None:
    """Whether the first line is what stood there."""
    return float(_first_line(answer.text) == _first_line(hole.truth)) if hole.truth else None


def stops_right(hole: Hole, answer: Answer) -> float | None:
    """Whether it neither runs on nor stops short; to show nothing is to stop short.

    A line is one line, neither the beginning of what stood there nor going on behind it. A block has as
    many lines as stood there, or one more or less. Both end by themselves, not by the bound on tokens.
    None where nothing is missing.
    """
    if not hole.truth:
        return None
    written, truth = answer.text.rstrip(), hole.truth.rstrip()
    if not written or not answer.finished:
        return 0.0
    if hole.kind == "block":
        return float(abs(written.count("\n") - truth.count("\n")) <= BLOCK_TOLERANCE_LINES)
    is_part = written != truth and (truth.startswith(written) or written.startswith(truth))
    return float("\n" not in written and not is_part)


def respects_suffix(hole: Hole, answer: Answer) -> float | None:
    """Whether it does not repeat what follows: the next line, or the rest of the cursor line.

    Lines that only close something say nothing, nor do those that stood in the hole too. None if quiet.
    """
    if answer.quiet:
        return None
    rest, *below = (line.strip() for line in hole.after.split("\n"))
    if rest and answer.text.rstrip().endswith(rest):
        return 0.0
    following = next((line for line in below if line), "")
    if len(following.replace(" ", "")) < SHORTEST_TELLING_LINE or is_closing_line(following):
        return 1.0
    stood_there = following in _file_lines(hole, hole.truth)
    return float(stood_there or following not in _file_lines(hole, answer.text))


def quiet(_hole: Hole, answer: Answer) -> float:
    """Whether nothing is shown: right where nothing is missing, a chance missed elsewhere."""
    return float(answer.quiet)


MEASURES: Mapping[str, Callable[[Hole, Answer], float | None]] = {
    "exact": exact,
    "similarity": similarity,
    "next_line": next_line,
    "stops_right": stops_right,
    "respects_suffix": respects_suffix,
    "quiet": quiet,
}
"""By name; None where a measure says nothing of an answer."""


def edit_similarity(one: str, other: str) -> float:
    """1 less the Levenshtein distance as a share of the longer text; 1 for two empty texts."""
    longer = max(len(one), len(other))
    return 1 - _distance(one, other) / longer if longer else 1.0


def _distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for at, character in enumerate(one, start=1):
        diagonal, row[0] = row[0], at
        for column, opposite in enumerate(other, start=1):
            changed = diagonal + (character != opposite)
            diagonal = row[column]
            row[column] = min(changed, diagonal + 1, row[column - 1] + 1)
    return row[-1]


def _first_line(text: str) -> str:
    return text.partition("\n")[0].rstrip()


def _file_lines(hole: Hole, middle: str) -> set[str]:
    """The lines that a middle makes of the cursor line, and adds to the file."""
    cursor_line = hole.before.rpartition("\n")[2]
    return {line.strip() for line in (cursor_line + middle).split("\n")}


@dataclass(frozen=True)
class Mean:
    """A mean and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Summary:
    """What the answers for some holes come to.

    Attributes:
        places: how many there are.
        means: for each measure that says something of any of them.
        median_ms: of the places where the model was asked, in milliseconds; None if there are none.
        p95_ms: what 95 % of those take at most, in milliseconds.
        tokens: generated on average where the model was asked.
    """

    places: int
    means: Mapping[str, Mean]
    median_ms: float | None
    p95_ms: float | None
    tokens: float | None


def summary(scored: Iterable[tuple[Hole, Answer]]) -> Summary:
    """The means of all measures over some answers, and how long they took."""
    pairs = list(scored)
    means = {}
    for name, measure in MEASURES.items():
        values = [value for pair in pairs if (value := measure(*pair)) is not None]
        if values:
            means[name] = mean(values)
    asked = [answer for _, answer in pairs if answer.asked]
    times = sorted(answer.milliseconds for answer in asked)
    return Summary(
        len(pairs),
        means,
        quantile(times, 0.5) if times else None,
        quantile(times, 0.95) if times else None,
        fmean(answer.tokens for answer in asked) if asked else None,
    )


def mean(values: Sequence[float], seed: int = 0) -> Mean:
    """The mean, and between which bounds 95 % of the means of samples drawn from the values lie."""
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    resampled = sorted(fmean(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return Mean(fmean(values), quantile(resampled, 0.025), quantile(resampled, 0.975))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest of the ordered values that this share of them does not exceed."""
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
