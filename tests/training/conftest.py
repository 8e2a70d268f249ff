from __future__ import annotations

import io
import json
import re
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from training.packages import Package


class Archives:
    """A directory of fetched packages that tests fill by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def wheel(self, name: str, files: Mapping[str, str | bytes], licence: str = "MIT") -> Package:
        package = Package("pypi", name, "1.0")
        metadata = f"Metadata-Version: 2.4\nName: {name}\nLicense-Expression: {licence}\n"
        with zipfile.ZipFile(self._directory(package) / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            for path, text in {**files, f"{name}-1.0.dist-info/METADATA": metadata}.items():
                wheel.writestr(path, text)
        return package

    def npm(self, name: str, files: dict[str, str], licence: object = "MIT") -> Package:
        package = Package("npm", name, "1.0")
        files = {"package.json": json.dumps({"license": licence}), **files}
        self.tar(package, f"{name}-1.0.tgz", "package/", files)
        return package

    def tar(self, package: Package, archive: str, root: str, files: dict[str, str]) -> None:
        with tarfile.open(self._directory(package) / archive, "w:gz") as tar:
            for path, text in files.items():
                entry = tarfile.TarInfo(root + path)
                entry.size = len(text.encode())
                tar.addfile(entry, io.BytesIO(text.encode()))

    def _directory(self, package: Package) -> Path:
        directory = package.directory(self.path)
        directory.mkdir(parents=True, exist_ok=True)
        return directory


@pytest.fixture
def archives(tmp_path: Path) -> Archives:
    return Archives(tmp_path / "archives")


class Words:
    """A vocabulary that takes in each word and sign when it first sees it; special pieces come first."""

    specials = ("<|endoftext|>", "<issue_start>", "<issue_comment>", "<issue_closed>", "<file_sep>")
    bos = ""

    def __init__(self) -> None:
        self.pieces = list(self.specials)
        self._ids: dict[str, int] = {}

    def encode(self, text: str) -> list[int]:
        return [self._id(piece) for piece in re.findall(r" ?\w+|\n *|.", text, re.DOTALL)]

    encode_inside = encode

    def decode(self, ids) -> str:
        return "".join(self.pieces[number] for number in ids)

    def special_id(self, piece: str) -> int | None:
        return self.specials.index(piece) if piece in self.specials else None

    def _id(self, piece: str) -> int:
        if piece not in self._ids:
            self._ids[piece] = len(self.pieces)
            self.pieces.append(piece)
        return self._ids[piece]


@pytest.fixture
def tokenizer() -> Words:
    return Words()
