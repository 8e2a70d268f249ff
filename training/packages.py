"""The packages a corpus is made of: fetched by their registry's own client, read without running any of them.

A package lies in ``ARCHIVES/ORIGIN/NAME-VERSION/`` once it is whole, and is not fetched again. Versions are
pinned in ``corpus.toml``; wheels are asked for as "any platform", so that every machine gets the same ones.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from training.licences import UNKNOWN, DebianCopyright, from_metadata

_PIP = (sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:")
_ANY_PLATFORM = ("--platform=any", "--python-version=3.13")
_DEBIAN_ROOT = re.compile(r"^usr/(share/(cargo/registry|gocode/src)|include|bin)/")
_DEBIAN = "http://deb.debian.org/debian bookworm main"


class PackageError(Exception):
    """A package could not be fetched or does not hold what it must; ``str(error)`` is one sentence."""


@dataclass(frozen=True)
class Package:
    """One pinned release.

    Attributes:
        origin: ``pypi``, ``npm``, ``debian`` or ``debian-source``.
        name: as the registry spells it.
        version: the exact release.
    """

    origin: str
    name: str
    version: str

    def directory(self, archives: Path) -> Path:
        """Where its archives lie once they are fetched."""
        return archives / self.origin / f"{self.name.replace('/', '__')}-{self.version}"


@dataclass(frozen=True)
class Member:
    """A file in a package: its path there, its bytes, and the licence that is stated for it."""

    path: str
    content: bytes
    licence: str


def fetch(package: Package, archives: Path) -> Path:
    """The directory with a package's archives, fetched if it is not there; an interrupted fetch leaves none.

    Raises:
        PackageError: the registry's client failed.
    """
    directory = package.directory(archives)
    if not directory.exists():
        with _made_whole(directory) as work:
            _run(_command(package, archives), work)
            if not any(work.iterdir()):
                message = f"Nothing came for {package.name} {package.version}."
                raise PackageError(message)
    return directory


def hashes(directory: Path) -> dict[str, str]:
    """SHA-256 of each archive in a package's directory, by file name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(directory.iterdir())}


def members(package: Package, archives: Path) -> Iterator[Member]:
    """The files of a fetched package; archives are read in place and nothing is unpacked to disk."""
    return _READERS[package.origin](package.directory(archives))


def _command(package: Package, archives: Path) -> tuple[str, ...]:
    match package.origin:
        case "pypi":
            return (*_PIP, *_ANY_PLATFORM, f"{package.name}=={package.version}")
        case "npm":
            return ("npm", "pack", "--silent", "--ignore-scripts", f"{package.name}@{package.version}")
        case _:
            options = _apt_options(_debian_index(archives))
            what = ("download",) if package.origin == "debian" else ("source", "--download-only")
            return ("apt-get", *options, *what, f"{package.name}={package.version}")


def _debian_index(archives: Path) -> Path:
    """The state of an apt of our own, which knows source packages too; the machine's is not touched."""
    state = archives.absolute() / "apt"
    if not state.exists():
        with _made_whole(state) as work:
            (work / "lists" / "partial").mkdir(parents=True)
            (work / "sources.list").write_text(f"deb {_DEBIAN}\ndeb-src {_DEBIAN}\n", encoding="utf-8")
            _run(("apt-get", *_apt_options(work), "update"), work)
    return state


def _apt_options(state: Path) -> Iterator[str]:
    yield f"--option=Dir::Etc::sourcelist={state / 'sources.list'}"
    yield "--option=Dir::Etc::sourceparts=-"
    yield f"--option=Dir::State::lists={state / 'lists'}"
    yield f"--option=Dir::Cache={state / 'cache'}"
    yield "--option=APT::Sandbox::User=root"


@contextmanager
def _made_whole(directory: Path) -> Iterator[Path]:
    """A directory to work in, which takes its place once the work is done and is gone if it fails."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=directory.parent) as scratch:
        work = Path(scratch).absolute() / "whole"
        work.mkdir()
        yield work
        work.rename(directory)


def _run(command: tuple[str, ...], directory: Path) -> bytes:
    """What a command writes to its standard output."""
    ended = subprocess.run(command, cwd=directory, capture_output=True, check=False)  # noqa: S603  no shell
    if ended.returncode != 0:
        said = ended.stderr.decode(errors="replace").strip().splitlines() or ["no word why"]
        message = f"{' '.join(command[-2:])} failed: {said[-1]}"
        raise PackageError(message)
    return ended.stdout


def _wheel_members(directory: Path) -> Iterator[Member]:
    with zipfile.ZipFile(_only(directory, "*.whl")) as wheel:
        names = sorted(name for name in wheel.namelist() if not name.endswith("/"))
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        licence = from_metadata(HeaderParser().parsestr(wheel.read(metadata).decode("utf-8", "replace")))
        for name in names:
            yield Member(name, wheel.read(name), licence)


def _npm_members(directory: Path) -> Iterator[Member]:
    files = _tar_files(_only(directory, "*.tgz").read_bytes(), depth=1)
    licence = json.loads(files["package.json"]).get("license")
    for path, content in files.items():
        yield Member(path, content, licence if isinstance(licence, str) else UNKNOWN)


def _debian_members(directory: Path) -> Iterator[Member]:
    """What a package installs; its paths are not those its copyright file speaks of, so all of it counts."""
    files = _tar_files(_run(("dpkg-deb", "--fsys-tarfile", _only(directory, "*.deb").name), directory))
    stated = next(text for path, text in files.items() if path.endswith("/copyright"))
    licence = DebianCopyright(stated.decode("utf-8", "replace")).all_licences
    for path, content in files.items():
        yield Member(_DEBIAN_ROOT.sub("", path), content, licence)


def _debian_source_members(directory: Path) -> Iterator[Member]:
    packaging = _tar_files(_only(directory, "*.debian.tar.*").read_bytes())
    stated = DebianCopyright(packaging["debian/copyright"].decode("utf-8", "replace"))
    for path, content in _tar_files(_only(directory, "*.orig.tar.[!a]*").read_bytes(), depth=1).items():
        yield Member(path, content, stated.licence(path))


_READERS = {
    "pypi": _wheel_members,
    "npm": _npm_members,
    "debian": _debian_members,
    "debian-source": _debian_source_members,
}


def _only(directory: Path, pattern: str) -> Path:
    found = sorted(directory.glob(pattern))
    if not found:
        message = f"{directory.name} holds no {pattern}."
        raise PackageError(message)
    return found[0]


def _tar_files(archive: bytes, depth: int = 0) -> dict[str, bytes]:
    """The regular files of a tar archive by path, in order, without their first ``depth`` folders."""
    files: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for entry in tar:
            source = tar.extractfile(entry) if entry.isreg() else None
            if source is not None:
                files[entry.name.removeprefix("./").split("/", depth)[-1]] = source.read()
    return dict(sorted(files.items()))
