"""Makes the tables of docs/models.md from the catalogue: python docs/model_table.py."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lsp_server.completion.fim import FORMATS
from lsp_server.completion.formats import PREFIX, SUFFIX, FileLayout, FimFormat
from lsp_server.models.catalogue import VERIFIED, CatalogueEntry, catalogue
from lsp_server.models.memory import WEIGHT_BYTES, estimate

PAGE = Path(__file__).with_name("models.md")

_MARKED = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def updated(text: str) -> str:
    """The page with its tables made anew; what is written between them stays."""
    return _MARKED.sub(lambda found: f"{found[1]}{_TABLES[found[2]]()}\n{found[3]}", text)


def families() -> str:
    """How each family is asked, and how that is known."""
    head = ("family", "prompt", "order", "stop", "BOS", "context", "licence", "verified")
    return _table(head, _families())


def formats() -> str:
    """The formats by the names that the setting ``fimFormat`` takes."""
    head = ("format", "prompt", "order", "stop", "BOS")
    return _table(head, ((_code(name), *_asked(form)) for name, form in FORMATS.items()))


def memory() -> str:
    """What each model takes, in millions of bytes."""
    return _table(("model", "weights", *WEIGHT_BYTES, "cache"), map(_model, catalogue().values()))


def notes() -> str:
    """What else is known of single models."""
    return "\n".join(_notes())


_TABLES = {"families": families, "formats": formats, "memory": memory, "notes": notes}


def _families() -> Iterator[Iterable[str]]:
    groups: dict[tuple[str, ...], list[CatalogueEntry]] = {}
    for entry in catalogue().values():
        groups.setdefault((entry.title, entry.format, entry.verified, entry.evidence), []).append(entry)
    for (title, name, _, _), entries in groups.items():
        form = FORMATS[name]
        whole = len(entries) == sum(entry.title == title for entry in catalogue().values())
        yield (
            title if whole else f"{title}: {', '.join(_short(entry) for entry in entries)}",
            *_asked(form),
            _both(f"{entry.context_tokens:,}" for entry in entries),
            _both(f"[{entry.licence.name}]({entry.licence.url})" for entry in entries),
            f"{VERIFIED[entries[0].verified].capitalize()}. {entries[0].evidence}",
        )


def _model(entry: CatalogueEntry) -> Iterable[str]:
    shape = entry.shape
    yield _code(entry.name)
    rough = r"\*" if shape.is_rough else ""
    yield f"{entry.parameters / 1e9:.2f} B{rough}"
    for dtype in WEIGHT_BYTES:
        yield f"{estimate(shape, dtype, 0).weights / 1e6:,.0f}"
    cache = estimate(shape, "float16", entry.context_tokens).cache
    yield "" if shape.is_rough else f"{cache / 1e6:,.0f}"


def _notes() -> Iterator[str]:
    grouped: dict[str, list[str]] = {}
    for entry in catalogue().values():
        if entry.notes:
            grouped.setdefault(entry.notes, []).append(_short(entry))
    for note, names in grouped.items():
        yield f"- {', '.join(map(_code, names))}: {note}"
    instructed = (_code(_short(entry)) for entry in catalogue().values() if entry.instruction_tuned)
    yield f"- Tuned on instructions: {', '.join(instructed)}."
    aliases = (_code(alias) for entry in catalogue().values() for alias in entry.aliases)
    yield f"- Other names that are understood: {', '.join(aliases)}."


def _short(entry: CatalogueEntry) -> str:
    return entry.name.partition("/")[2]


def _asked(form: FimFormat) -> Iterator[str]:
    files = form.files if form.files.names_alone else FileLayout()
    halves = {PREFIX: "".join((*files.head, "P")), SUFFIX: "S"}
    parts = (*files.own, *(halves.get(part, part) for part in form.layout))
    yield _code("".join(parts).replace("\n", "⏎"))
    yield form.order
    yield " ".join(map(_code, form.stops))
    yield {"": "none", None: "the tokenizer's"}.get(form.bos) or _code(str(form.bos))


def _code(text: str) -> str:
    return f"`{text}`"


def _both(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head)]
    lines += [["---"] * len(lines[0]), *map(list, rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
