"""The open code models that are known: how each is asked, how large it is, under which licence it comes.

The facts are in ``catalogue.toml``, which is read when somebody asks for them and not when a server starts.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lsp_server.models.shape import Shape, of_config, of_parameters

Verified = Literal["ids", "documented", "reported", "unverified"]
"""How far prompt, stops and order of a model are to be trusted; ``VERIFIED`` says it in words."""

VERIFIED: Mapping[Verified, str] = {
    "ids": "documented by its makers, and its token ids are tested against the real vocabulary",
    "documented": "documented by its makers",
    "reported": "reported by others who run it",
    "unverified": "not verified",
}


@dataclass(frozen=True)
class Licence:
    """The licence of a model's weights.

    Attributes:
        key: its SPDX identifier, or a key of ours where SPDX has none.
        name: for people.
        url: where its text is.
    """

    key: str
    name: str
    url: str


@dataclass(frozen=True)
class CatalogueEntry:
    """What is known of a model of the hub.

    Attributes:
        name: ``owner/name`` on the hub, which is what users write in ``model``.
        family: its key in the catalogue.
        title: the family's name for people.
        format: how it is asked, a key of ``completion.fim.FORMATS``.
        parameters: number of weights.
        context_tokens: the longest prompt and answer together, in tokens.
        licence: of its weights.
        verified: how far format and stops are to be trusted.
        evidence: where they are known from, in a sentence.
        config: facts of its published ``config.json``, its numbers only where they are certain.
        aliases: other names it has or had on the hub.
        fill_in_the_middle: whether it was trained to; a vocabulary with the pieces proves nothing.
        instruction_tuned: whether it follows instructions.
        instruction_prompt: name of the prompt that it was given them in; empty where none is built.
        remote_code: whether it runs only with code of its own.
        notes: what else a user should know, in a sentence.
    """

    name: str
    family: str
    title: str
    format: str
    parameters: int
    context_tokens: int
    licence: Licence
    verified: Verified
    evidence: str
    config: Mapping[str, Any] = field(default_factory=dict, hash=False)
    aliases: tuple[str, ...] = ()
    fill_in_the_middle: bool = True
    instruction_tuned: bool = False
    instruction_prompt: str = ""
    remote_code: bool = False
    notes: str = ""

    @property
    def shape(self) -> Shape:
        """Its size, roughly where nothing but the number of its weights is known."""
        return of_config(self.config) or of_parameters(self.parameters)


@functools.cache
def catalogue() -> Mapping[str, CatalogueEntry]:
    """All entries by name, family by family."""
    import tomllib  # noqa: PLC0415 - a server that runs the embedded model needs none of this

    known = tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
    return {entry.name: entry for entry in _entries(known)}


def find(name: str) -> CatalogueEntry | None:
    """The entry of a hub name or of one of its aliases, in capitals or not, as the hub takes them."""
    return _by_any_name().get(name.casefold())


def smaller_siblings(entry: CatalogueEntry) -> tuple[CatalogueEntry, ...]:
    """Smaller models of the same family and kind, the largest first."""
    found = [
        other
        for other in catalogue().values()
        if _kind(other) == _kind(entry) and other.parameters < entry.parameters
    ]
    return tuple(sorted(found, key=lambda other: -other.parameters))


def licence_notice(name: str) -> str:
    """What a user is told before a model of the hub is fetched, in a sentence."""
    entry = find(name)
    if entry is None:
        return f"The licence of {name} is not known here; https://huggingface.co/{name} says it."
    return f"{name} comes under the licence {entry.licence.name}, {entry.licence.url}."


def _kind(entry: CatalogueEntry) -> tuple[str, bool, bool]:
    return entry.family, entry.fill_in_the_middle, entry.instruction_tuned


@functools.cache
def _by_any_name() -> Mapping[str, CatalogueEntry]:
    return {name.casefold(): entry for entry in catalogue().values() for name in (*entry.aliases, entry.name)}


def _entries(known: Mapping[str, Any]) -> Iterator[CatalogueEntry]:
    licences = {key: Licence(key, **words) for key, words in known["licences"].items()}
    rows: dict[str, dict[str, Any]] = {}
    for family, said in known["families"].items():
        for model in said["models"]:
            row = _row({"family": family} | said, rows.get(model.get("like", ""), {}), model)
            rows[row["name"]] = row
            licence = licences.get(row["licence"]) or _spdx(row["licence"])
            aliases = tuple(model.get("aliases", ()))  # names are the model's own, whatever it is like
            yield CatalogueEntry(**(row | {"licence": licence, "aliases": aliases}))


def _row(*said: Mapping[str, Any]) -> dict[str, Any]:
    """What the family says, then the model that this one is like, then its own; the last word counts."""
    row: dict[str, Any] = {"config": {}}
    for more in said:
        row |= {**more, "config": {**row["config"], **more.get("config", {})}}
    return {key: value for key, value in row.items() if key not in ("models", "like")}


def spdx_url(identifier: str) -> str:
    """Where the text of a licence is that SPDX knows."""
    return f"https://spdx.org/licenses/{identifier}.html"


def _spdx(identifier: str) -> Licence:
    return Licence(identifier, identifier, spdx_url(identifier))
