"""The tables of RESULTS.md: what the answers of several models come to, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lsp_server.evaluation.holes import KINDS, PREFERRED_LANGUAGE, Hole
from lsp_server.evaluation.run import Way
from lsp_server.evaluation.scores import Answer, Mean, summary

SECTIONS: dict[Way, str] = {
    "served": "Served: through the server's trigger, stops and filters, as typing would ask",
    "anchored": "Anchored: the same after three more lines were typed, with the prompt of an editing session",
    "raw": "Raw: what the model writes, to its own end or, for lines, to the first line end",
}
COLUMNS = {
    "exact": "exact",
    "similarity": "similarity",
    "next_line": "next line",
    "stops_right": "stops right",
    "respects_suffix": "respects suffix",
    "quiet": "quiet",
}
"""The measures in the order of the table, and what they are headed with."""


@dataclass(frozen=True)
class Record:
    """One answer: whose, in which way it was asked for, to which hole."""

    contender: str
    way: Way
    hole: Hole
    answer: Answer


def markdown(records: Sequence[Record], contenders: Sequence[str]) -> str:
    """All tables: for each way one by kind, and one by language; 95 % intervals in brackets."""
    sections = []
    for way, title in SECTIONS.items():
        chosen = [record for record in records if record.way == way]
        if chosen:
            by_kind = _table("files", _by_kind(chosen), chosen, contenders)
            by_language = _table("language", _by_language(chosen), chosen, contenders)
            sections += [f"### {title}", by_kind, "All kinds in which something is missing:", by_language]
    return "\n\n".join(sections) + "\n"


_Group = tuple[str, str, Callable[[Hole], bool]]
"""Two words for the head of a row, and which holes are counted in it."""


def _by_kind(records: Sequence[Record]) -> Iterator[_Group]:
    languages = {record.hole.source.family for record in records}
    files: dict[str, Callable[[str], bool]] = {
        PREFERRED_LANGUAGE: lambda language: language == PREFERRED_LANGUAGE,
        "others": lambda language: language != PREFERRED_LANGUAGE,
    }
    for name, belongs in files.items():
        if any(map(belongs, languages)):
            for kind in KINDS:
                yield name, kind, _of(belongs, {kind})


def _by_language(records: Sequence[Record]) -> Iterator[_Group]:
    kinds = set(KINDS) - {"complete"}
    yield "all", "something missing", _of(lambda _language: True, kinds)
    for language in sorted({record.hole.source.family for record in records}):
        yield language, "something missing", _of(language.__eq__, kinds)


def _of(belongs: Callable[[str], bool], kinds: set[str]) -> Callable[[Hole], bool]:
    return lambda hole: belongs(hole.source.family) and hole.kind in kinds


def _table(head: str, groups: Iterator[_Group], records: Sequence[Record], contenders: Sequence[str]) -> str:
    heads = [head, "kind", "model", "places", *COLUMNS.values(), "ms, p50 / p95"]
    lines = [heads, ["---"] * len(heads)]
    for name, kind, belongs in groups:
        for contender in contenders:
            chosen = [each for each in records if each.contender == contender and belongs(each.hole)]
            if chosen:
                lines.append([name, kind, contender, *_cells(chosen)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(records: Sequence[Record]) -> Iterator[str]:
    result = summary((record.hole, record.answer) for record in records)
    yield str(result.places)
    for measure in COLUMNS:
        yield _cell(result.means.get(measure))
    # Raw comes second, and finds its prompt read.
    timed = result.median_ms is not None and records[0].way != "raw"
    yield f"{result.median_ms:.0f} / {result.p95_ms:.0f}" if timed else ""


def _cell(mean: Mean | None) -> str:
    return "" if mean is None else f"{mean.value:.2f} ({mean.low:.2f}-{mean.high:.2f})"
