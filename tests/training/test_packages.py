from __future__ import annotations

from pathlib import Path

import pytest

from training import packages
from training.licences import UNKNOWN
from training.packages import Member, Package, PackageError, fetch, hashes, members

COPYRIGHT = "Files: *\nLicense: Expat\n\nFiles: src/square.c\nLicense: GPL-2+\n"
ATTRS = Package("pypi", "attrs", "1.0")


def test_the_members_of_a_wheel_have_the_licence_of_its_metadata(archives) -> None:
    package = archives.wheel("shapes", {"shapes/circle.py": "radius = 1\n"}, licence="BSD-3-Clause")
    assert Member("shapes/circle.py", b"radius = 1\n", "BSD-3-Clause") in members(package, archives.path)


def test_the_members_of_an_npm_package_lie_below_its_one_folder(archives) -> None:
    package = archives.npm("shapes", {"src/circle.ts": "let radius = 1\n"}, licence="ISC")
    assert Member("src/circle.ts", b"let radius = 1\n", "ISC") in members(package, archives.path)


def test_a_licence_that_is_no_plain_text_is_unknown(archives) -> None:
    package = archives.npm("shapes", {}, licence={"type": "MIT"})
    assert {member.licence for member in members(package, archives.path)} == {UNKNOWN}


def test_each_file_of_a_debian_source_has_its_own_licence(archives) -> None:
    package = Package("debian-source", "shapes", "1.0-1")
    archives.tar(package, "shapes_1.0.orig.tar.gz", "shapes-1.0/", {"src/circle.c": "c", "src/square.c": "s"})
    archives.tar(package, "shapes_1.0-1.debian.tar.gz", "debian/", {"copyright": COPYRIGHT})
    assert list(members(package, archives.path)) == [
        Member("src/circle.c", b"c", "Expat"),
        Member("src/square.c", b"s", "GPL-2+"),
    ]


def test_a_scoped_name_is_one_folder(tmp_path: Path) -> None:
    assert Package("npm", "@shapes/core", "2.0").directory(tmp_path) == tmp_path / "npm" / "@shapes__core-2.0"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands that were run; each leaves one archive."""
    commands: list[tuple[str, ...]] = []

    def run(command: tuple[str, ...], directory: Path) -> bytes:
        commands.append(command)
        (directory / "archive").write_bytes(b"abc")
        return b""

    monkeypatch.setattr(packages, "_run", run)
    return commands


def test_what_is_there_is_not_fetched_again(tmp_path: Path, client: list[tuple[str, ...]]) -> None:
    assert fetch(ATTRS, tmp_path) == fetch(ATTRS, tmp_path)
    assert [command[-1] for command in client] == ["attrs==1.0"]
    assert list(hashes(ATTRS.directory(tmp_path))) == ["archive"]


@pytest.mark.parametrize(
    ("origin", "last"),
    [
        ("npm", ("attrs@1.0",)),
        ("debian", ("download", "attrs=1.0")),
        ("debian-source", ("source", "--download-only", "attrs=1.0")),
    ],
)
def test_each_registry_is_asked_by_its_own_client(
    tmp_path: Path, client: list[tuple[str, ...]], origin: str, last: tuple[str, ...]
) -> None:
    fetch(Package(origin, "attrs", "1.0"), tmp_path)
    assert client[-1][-len(last) :] == last


def test_the_index_of_debian_is_fetched_once(tmp_path: Path, client: list[tuple[str, ...]]) -> None:
    fetch(Package("debian", "a", "1"), tmp_path)
    fetch(Package("debian-source", "b", "1"), tmp_path)
    assert [command[-1] for command in client] == ["update", "a=1", "b=1"]


@pytest.mark.parametrize("failure", [PackageError("no"), KeyboardInterrupt()])
def test_a_fetch_that_fails_or_is_interrupted_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    def run(_command: tuple[str, ...], directory: Path) -> bytes:
        (directory / "half").write_bytes(b"abc")
        raise failure

    monkeypatch.setattr(packages, "_run", run)
    with pytest.raises(type(failure)):
        fetch(ATTRS, tmp_path)
    assert not list((tmp_path / "pypi").iterdir())


def test_a_client_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("sh", "-c", "echo first >&2; echo no such package >&2; exit 1")
    monkeypatch.setattr(packages, "_command", lambda *_: command)
    with pytest.raises(PackageError, match="failed: no such package"):
        fetch(ATTRS, tmp_path)


def test_a_client_that_brings_nothing_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_command", lambda *_: ("true",))
    with pytest.raises(PackageError, match="Nothing came for attrs"):
        fetch(ATTRS, tmp_path)
