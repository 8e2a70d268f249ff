"""In what the architectures of language models differ, as far as their size goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lsp_server.errors import ModelDamagedError

Config = Mapping[str, Any]
"""What stands in a ``config.json``."""


class Trait(NamedTuple):
    """In what the architectures differ.

    Attributes:
        gated: whether the feed-forward part has three matrices rather than two.
        tied: whether the head is the embedding, unless the configuration says otherwise.
        qkv_bias: of the query, key and value matrices.
        out_bias: of the attention's last matrix.
        mlp_bias: of the feed-forward matrices.
        norm_vectors: 1 for a scale, 2 for a scale and an offset.
        norms: in each layer.
        has_head_norms: whether queries and keys are scaled head by head.
        has_positions: whether positions are embeddings that were learned.
        head_bias: of the head.
    """

    gated: bool = True
    tied: bool = False
    qkv_bias: bool = False
    out_bias: bool = False
    mlp_bias: bool = False
    norm_vectors: int = 1
    norms: int = 2
    has_head_norms: bool = False
    has_positions: bool = False
    head_bias: bool = False


_PLAIN = Trait(gated=False, qkv_bias=True, out_bias=True, mlp_bias=True, norm_vectors=2)
"""GPT-2's: two matrices, biases everywhere, an offset in every norm."""

TRAITS = {
    "codegen": _PLAIN._replace(qkv_bias=False, out_bias=False, norms=1, head_bias=True),
    "deepseek_v2": Trait(),
    "gemma": Trait(tied=True),
    "gpt2": _PLAIN._replace(tied=True, has_positions=True),
    "gpt_bigcode": _PLAIN._replace(tied=True, has_positions=True),
    "gpt_neox": _PLAIN,
    "granite": Trait(),
    "llama": Trait(),
    "mellum": Trait(has_head_norms=True),
    "mistral": Trait(),
    "qwen2": Trait(qkv_bias=True),
    "qwen3": Trait(has_head_norms=True),
    "qwen3_moe": Trait(has_head_norms=True),
    "smollm3": Trait(tied=True),
    "stablelm": Trait(norm_vectors=2),
    "starcoder2": _PLAIN._replace(tied=True),
    "xglm": _PLAIN._replace(tied=True),
}
"""By ``model_type``."""

_SWITCHES = {
    "tied": ("tie_word_embeddings",),
    "qkv_bias": ("attention_bias", "use_qkv_bias", "use_bias"),
    "out_bias": ("attention_bias", "use_bias"),
    "mlp_bias": ("mlp_bias", "use_bias"),
}
"""Keys of a configuration that turn a trait on or off."""

_NAMES = {
    "layers": ("num_hidden_layers", "n_layer", "num_layers"),
    "hidden": ("hidden_size", "n_embd", "d_model"),
    "heads": ("num_attention_heads", "n_head", "attention_heads"),
    "ffn": ("intermediate_size", "n_inner", "ffn_dim"),
    "vocabulary": ("vocab_size",),
    "positions": ("max_position_embeddings", "n_positions"),
    "experts": ("num_experts", "n_routed_experts", "num_local_experts"),
}
"""What the architectures call the same number."""


def read_config(directory: Path) -> Config:
    """The configuration of a checkpoint.

    Raises:
        ModelDamagedError: there is none that can be read.
    """
    try:
        return dict(json.loads((directory / "config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        message = f"The configuration of the model in {directory} cannot be read."
        raise ModelDamagedError(message) from error


def trait_of(config: Config) -> Trait | None:
    """The traits of the architecture that a configuration names; None for one that is not known here."""
    trait = TRAITS.get(config.get("model_type", ""))
    if trait is None:
        return None
    said = {
        name: bool(config[key])
        for name, keys in _SWITCHES.items()
        for key in keys
        if config.get(key) is not None
    }
    return trait._replace(**said)


def sizes_of(config: Config) -> Mapping[str, int]:
    """The numbers that most architectures have, under one name for all; 0 for those that are not said."""
    return {
        name: next((int(config[key]) for key in keys if config.get(key)), 0) for name, keys in _NAMES.items()
    }


def shares_one_head(config: Config) -> bool:
    """Whether all query heads look at one key and value head: StarCoder's and SantaCoder's way to say so."""
    if config["model_type"] == "gpt_bigcode":
        return bool(config.get("multi_query", True))
    return bool(config.get("attention_head_type") == "multiquery")
