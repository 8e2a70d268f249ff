"""How large a model is, from the numbers of its configuration, before any weight is fetched.

The formulas follow the classes of the transformers library; tests compare every one of them with the class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from lsp_server.models.architectures import Config, Trait, shares_one_head, sizes_of, trait_of
from lsp_server.models.gguf import Gguf


@dataclass(frozen=True)
class Shape:
    """The size of a model.

    Attributes:
        linear_weights: weights of the layers' matrices, which 8-bit and 4-bit formats shrink.
        other_weights: embeddings, head, norms, biases and experts of a mixture, which they leave alone.
        layers: layers with a key-value cache.
        cached_numbers: what the cache keeps of a token in one layer, keys and values together.
        windowed_layers: those of the layers that look back ``window_tokens`` only.
        window_tokens: 0 where no layer has a window.
        is_rough: whether only the number of weights is known, so that nothing is known of the cache.
    """

    linear_weights: int
    other_weights: int = 0
    layers: int = 0
    cached_numbers: int = 0
    windowed_layers: int = 0
    window_tokens: int = 0
    is_rough: bool = False

    @property
    def parameters(self) -> int:
        """Number of all weights."""
        return self.linear_weights + self.other_weights

    def cached_at(self, context_tokens: int) -> int:
        """Numbers in the cache when the context is ``context_tokens`` long."""
        seen = min(context_tokens, self.window_tokens) if self.window_tokens else context_tokens
        full = self.layers - self.windowed_layers
        return self.cached_numbers * (full * context_tokens + self.windowed_layers * seen)


class _Part(NamedTuple):
    """Weights of a part of a layer: matrices that are quantised, and the rest."""

    linear: int
    other: int


def of_config(config: Config) -> Shape | None:
    """The shape of a model from its configuration; None where too little of it is known here."""
    try:
        return _of_config(config)
    except (AttributeError, KeyError, TypeError, ValueError):  # others write these files
        return None


def _of_config(config: Config) -> Shape | None:
    text = {**config, **(config.get("text_config") or {})}
    if (trait := trait_of(text)) is None:
        return None
    sizes = sizes_of(text)
    if not all(sizes[name] for name in ("layers", "hidden", "heads", "vocabulary")):
        return None
    layers, hidden = sizes["layers"], sizes["hidden"]
    attention, cached = _attention(text, sizes, trait)
    norms = trait.norms * trait.norm_vectors * hidden
    dense, mixture = _dense(sizes, trait), _mixture(text, sizes)
    plain = _layer_count_before_experts(text, sizes)
    mixed = layers - plain
    inside = layers * (attention.other + norms) + plain * dense.other + mixed * mixture.other
    window, windowed = _window(text, layers)
    return Shape(
        linear_weights=layers * attention.linear + plain * dense.linear + mixed * mixture.linear,
        other_weights=inside + _outside(sizes, trait),
        layers=layers,
        cached_numbers=cached,
        windowed_layers=windowed,
        window_tokens=window,
    )


def of_parameters(parameters: int) -> Shape:
    """The shape of a model of which only the number of weights is known."""
    return Shape(parameters, is_rough=True)


def of_gguf(header: Gguf) -> Shape:
    """The shape of a model in a GGUF file; its weights are as large as the file, whatever they are."""
    architecture = header.metadata.get("general.architecture")

    def number(key: str) -> int:
        value = header.metadata.get(f"{architecture}.{key}")
        if isinstance(value, tuple):  # layer by layer
            return int(max(value, default=0))
        return value if isinstance(value, int) else 0

    layers, heads = number("block_count"), number("attention.head_count")
    each = number("embedding_length") // heads if heads else 0
    keys = number("attention.key_length") or each
    values = number("attention.value_length") or each
    window = number("attention.sliding_window")
    return Shape(
        linear_weights=header.parameters,
        layers=layers,
        cached_numbers=(number("attention.head_count_kv") or heads) * (keys + values),
        windowed_layers=layers if window else 0,
        window_tokens=window,
    )


def _attention(config: Config, sizes: Mapping[str, int], trait: Trait) -> tuple[_Part, int]:
    """The attention of one layer, and what its cache keeps of a token."""
    if config.get("kv_lora_rank"):
        return _latent_attention(config, sizes)
    hidden, heads = sizes["hidden"], sizes["heads"]
    width = config.get("head_dim") or hidden // heads
    cached = 2 * (config.get("num_key_value_heads") or (1 if shares_one_head(config) else heads)) * width
    biases = trait.qkv_bias * (heads * width + cached) + trait.out_bias * hidden
    matrices = hidden * (2 * heads * width + cached)
    return _Part(matrices, biases + trait.has_head_norms * 2 * width), cached


def _latent_attention(config: Config, sizes: Mapping[str, int]) -> tuple[_Part, int]:
    """DeepSeek's: keys and values are unfolded from a short vector, which is all that is kept."""
    hidden, heads, rank = sizes["hidden"], sizes["heads"], int(config["kv_lora_rank"])
    plain, turned, values = (config[key] for key in ("qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"))
    queries = hidden * heads * (plain + turned)
    folded = hidden * (rank + turned) + rank * heads * (plain + values)
    return _Part(queries + folded + heads * values * hidden, rank), rank + turned


def _dense(sizes: Mapping[str, int], trait: Trait) -> _Part:
    """The feed-forward part of one layer."""
    hidden, ffn = sizes["hidden"], sizes["ffn"] or 4 * sizes["hidden"]
    rising = 2 if trait.gated else 1
    return _Part((rising + 1) * hidden * ffn, trait.mlp_bias * (rising * ffn + hidden))


def _mixture(config: Config, sizes: Mapping[str, int]) -> _Part:
    """The experts of one layer; the library keeps the chosen among them in one block, never quantised."""
    hidden, each = sizes["hidden"], 3 * sizes["hidden"] * int(config.get("moe_intermediate_size") or 0)
    return _Part(int(config.get("n_shared_experts") or 0) * each, sizes["experts"] * (each + hidden))


def _layer_count_before_experts(config: Config, sizes: Mapping[str, int]) -> int:
    """How many layers have one dense feed-forward part rather than a mixture of experts."""
    if not (sizes["experts"] and config.get("moe_intermediate_size")):
        return sizes["layers"]
    return int(config.get("first_k_dense_replace") or 0)


def _outside(sizes: Mapping[str, int], trait: Trait) -> int:
    """Weights outside the layers: embeddings, the last norm, the head."""
    table = sizes["vocabulary"] * sizes["hidden"]
    positions = trait.has_positions * sizes["positions"] * sizes["hidden"]
    head = (0 if trait.tied else table) + trait.head_bias * sizes["vocabulary"]
    return table + positions + trait.norm_vectors * sizes["hidden"] + head


def _window(config: Config, layers: int) -> tuple[int, int]:
    """How far back windowed layers look, in tokens, and how many they are."""
    window = int(config.get("sliding_window") or 0)
    if not window or config.get("use_sliding_window") is False:
        return 0, 0
    kinds = config.get("layer_types")
    windowed = kinds.count("sliding_attention") if kinds else layers
    return (window, windowed) if windowed else (0, 0)
