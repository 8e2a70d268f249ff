"""What a model says of itself before it is asked anything: its names, its architecture, its size."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsp_server.models.architectures import read_config, sizes_of
from lsp_server.models.catalogue import CatalogueEntry, catalogue, find
from lsp_server.models.gguf import Gguf

_NAME_KEYS = (
    "general.source.huggingface.repository",
    "general.repo_url",
    "general.source.url",
    "general.name",
)
_FIM_KEYS = (("fim_pre", "prefix"), ("fim_suf", "suffix"), ("fim_mid", "middle"))
"""How GGUF calls the ids of the sentinels, now and formerly."""
_OF_GGUF = {
    "deepseek2": ("deepseek_v2",),
    "falcon-h1": ("falcon_h1",),
    "gptneox": ("gpt_neox",),
    "granitehybrid": ("granitemoehybrid",),
    "llama": ("llama", "mistral"),
    "qwen3moe": ("qwen3_moe",),
    "refact": ("gpt_refact",),
    "starcoder": ("gpt_bigcode",),
}
"""What checkpoints call the architectures that GGUF calls otherwise."""
_HUB = "huggingface.co/"


@dataclass(frozen=True)
class Facts:
    """What is known of a model without its weights.

    Attributes:
        title: its name for people.
        hub_name: the name of the hub that it was asked for by; empty for a file or a folder.
        names: what its files and its place call it, which is to be believed only if the rest fits.
        architectures: what it may be, by the names of ``model_type``; none where that is not known.
        size: numbers of its layers, of a layer's width, and of the pieces of its vocabulary; 0 for
            what is not known.
        declared: the pieces for prefix, suffix and middle that a GGUF file names; empty where it names none.
    """

    title: str
    hub_name: str = ""
    names: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    size: tuple[int, int, int] = (0, 0, 0)
    declared: tuple[str, ...] = ()


def of_checkpoint(directory: Path, title: str, hub_name: str = "") -> Facts:
    """The facts in the directory of a checkpoint.

    Raises:
        ModelDamagedError: its configuration cannot be read.
    """
    config = read_config(directory)
    named = config.get("_name_or_path")
    names = (directory.resolve().name, *([named] if isinstance(named, str) else ()))
    return Facts(title, hub_name, names, _types(config), _size(config))


def of_gguf(header: Gguf) -> Facts:
    """The facts in the header of a GGUF file."""
    said = header.metadata
    architecture = str(said.get("general.architecture", ""))
    names = [str(said[key]).rpartition(_HUB)[2] for key in _NAME_KEYS if said.get(key)]
    return Facts(
        header.path.name,
        names=(*names, header.path.stem),
        architectures=_OF_GGUF.get(architecture, (architecture,)) if architecture else (),
        size=(
            _whole(said.get(f"{architecture}.block_count")),
            _whole(said.get(f"{architecture}.embedding_length")),
            len(header.texts("tokenizer.ggml.tokens")),
        ),
        declared=_declared(header),
    )


def named_entry(facts: Facts) -> CatalogueEntry | None:
    """The entry of the catalogue that a model goes by, by its whole name.

    The name that a user wrote for the hub counts alone. One that stands in a file counts only if the file's
    architecture is the entry's, since files are renamed.
    """
    if facts.hub_name and (entry := find(facts.hub_name)):
        return entry
    found = (_by_plain_name().get(_plain(name)) for name in facts.names)
    return next((entry for entry in found if entry and _may_be(facts, entry)), None)


def lookalikes(facts: Facts) -> list[CatalogueEntry]:
    """The entries of the catalogue that have a model's architecture and size."""
    return [
        entry
        for entry in catalogue().values()
        if all(facts.size) and _may_be(facts, entry) and _size(entry.config) == facts.size
    ]


def _may_be(facts: Facts, entry: CatalogueEntry) -> bool:
    return entry.config.get("model_type") in facts.architectures


def _size(config: Mapping[str, Any]) -> tuple[int, int, int]:
    sizes = sizes_of(config)
    return sizes["layers"], sizes["hidden"], sizes["vocabulary"]


def _by_plain_name() -> Mapping[str, CatalogueEntry]:
    return {
        _plain(spelled): entry
        for entry in catalogue().values()
        for name in (*entry.aliases, entry.name)
        for spelled in (name.partition("/")[2], name)
    }


def _plain(name: str) -> str:
    """A name without capitals and signs, in which those who convert models differ."""
    return re.sub(r"[^0-9a-z]", "", name.casefold())


def _types(config: Mapping[str, Any]) -> tuple[str, ...]:
    kind = config.get("model_type")
    return (kind,) if isinstance(kind, str) and kind else ()


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _declared(header: Gguf) -> tuple[str, ...]:
    pieces, found = header.texts("tokenizer.ggml.tokens"), []
    for keys in _FIM_KEYS:
        numbers = (header.metadata.get(f"tokenizer.ggml.{key}_token_id") for key in keys)
        number = next((each for each in numbers if isinstance(each, int)), None)
        found.append(pieces[number] if number is not None and number < len(pieces) else "")
    return tuple(found) if any(found) else ()
