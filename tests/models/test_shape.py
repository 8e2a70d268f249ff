"""The formulas are compared with the classes of the transformers library, as small as can be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lsp_server.models import gguf
from lsp_server.models.architectures import TRAITS
from lsp_server.models.shape import Shape, of_config, of_gguf, of_parameters

GPT = {"n_embd": 64, "n_layer": 3, "n_head": 4, "vocab_size": 120, "n_positions": 64}
USUAL = {
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 80,
    "vocab_size": 120,
    "max_position_embeddings": 64,
}
ONE_HEAD_EACH = {key: value for key, value in USUAL.items() if key != "num_key_value_heads"}
EXPERTS = {"moe_intermediate_size": 24, "num_experts": 6, "num_experts_per_tok": 2}
LATENT = {
    "kv_lora_rank": 16,
    "q_lora_rank": None,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 4,
    "v_head_dim": 8,
    "n_routed_experts": 6,
    "n_shared_experts": 2,
    "num_experts_per_tok": 2,
    "n_group": 1,
    "topk_group": 1,
    "moe_intermediate_size": 24,
    "first_k_dense_replace": 1,
}
XGLM = {"d_model": 64, "num_layers": 3, "attention_heads": 4, "ffn_dim": 80, "vocab_size": 120}

CONFIGS: list[dict[str, Any]] = [
    {"model_type": "codegen", **GPT, "rotary_dim": 4},
    {"model_type": "deepseek_v2", **ONE_HEAD_EACH, **LATENT},
    {"model_type": "gemma", **USUAL, "head_dim": 16},
    {"model_type": "gpt2", **GPT},
    {"model_type": "gpt_bigcode", **GPT},
    {"model_type": "gpt_bigcode", **GPT, "multi_query": False, "n_inner": 100},
    {"model_type": "gpt_neox", **ONE_HEAD_EACH},
    {"model_type": "granite", **USUAL, "tie_word_embeddings": True},
    {"model_type": "llama", **ONE_HEAD_EACH},
    {"model_type": "llama", **USUAL, "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True},
    {"model_type": "mellum", **USUAL, **EXPERTS, "head_dim": 16},
    {"model_type": "mistral", **USUAL, "head_dim": 16, "sliding_window": None},
    {"model_type": "qwen2", **USUAL},
    {"model_type": "qwen2", **USUAL, "tie_word_embeddings": True},
    {"model_type": "qwen3", **USUAL, "head_dim": 16},
    {"model_type": "qwen3_moe", **USUAL, **EXPERTS, "head_dim": 16},
    {"model_type": "smollm3", **USUAL},
    {"model_type": "stablelm", **USUAL},
    {"model_type": "starcoder2", **USUAL},
    {"model_type": "starcoder2", **USUAL, "use_bias": False, "tie_word_embeddings": False},
    {"model_type": "xglm", **XGLM},
]


def named(config: dict[str, Any]) -> str:
    return str(config["model_type"])


def built(config: dict[str, Any]) -> Any:
    """The library's model of a configuration."""
    from transformers import AutoConfig, AutoModelForCausalLM

    special = {"pad_token_id": None, "bos_token_id": None, "eos_token_id": None}
    return AutoModelForCausalLM.from_config(AutoConfig.for_model(**(special | config)))


class Pair(NamedTuple):
    shape: Shape
    model: Any


@pytest.fixture(scope="module", params=CONFIGS, ids=named)
def pair(request: pytest.FixtureRequest) -> Pair:
    """What is said here of a configuration, and the library's model of it."""
    return Pair(shape_of(request.param), built(request.param))


def shape_of(config: dict[str, Any]) -> Shape:
    shape = of_config(config)
    assert shape is not None
    return shape


def test_every_architecture_is_compared_with_the_library() -> None:
    assert {named(config) for config in CONFIGS} == set(TRAITS)


def test_all_weights_of_the_librarys_model_are_counted(pair: Pair) -> None:
    assert pair.shape.parameters == sum(weight.numel() for weight in pair.model.parameters())


def test_linear_weights_are_those_that_a_quantised_format_shrinks(pair: Pair) -> None:
    import torch
    from transformers.pytorch_utils import Conv1D

    head = pair.model.get_output_embeddings()
    shrunk = sum(
        module.weight.numel()
        for module in pair.model.modules()
        if isinstance(module, torch.nn.Linear | Conv1D) and module is not head
    )
    assert pair.shape.linear_weights == shrunk


def test_the_cache_holds_what_the_librarys_cache_holds(pair: Pair) -> None:
    import torch
    from transformers import DynamicCache

    cache = DynamicCache(config=pair.model.config)
    pair.model(torch.zeros((1, 5), dtype=torch.long), past_key_values=cache, use_cache=True)
    held = sum(layer.keys.numel() + layer.values.numel() for layer in cache.layers)
    assert pair.shape.cached_at(5) == held


def test_the_configuration_that_the_library_writes_says_the_same(pair: Pair, tmp_path: Path) -> None:
    pair.model.config.save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert of_config(written) == pair.shape


def test_a_window_bounds_the_cache_of_the_layers_that_have_one() -> None:
    windowed = shape_of({"model_type": "starcoder2", **USUAL, "sliding_window": 8})
    assert windowed.cached_at(5) == 5 * 3 * 64
    assert windowed.cached_at(64) == 8 * 3 * 64
    kinds = ["full_attention", "sliding_attention", "sliding_attention"]
    mixed = shape_of({"model_type": "llama", **USUAL, "sliding_window": 8, "layer_types": kinds})
    assert mixed.cached_at(64) == (64 + 2 * 8) * 64
    unused = shape_of({"model_type": "qwen2", **USUAL, "sliding_window": 8, "use_sliding_window": False})
    assert unused.cached_at(64) == 64 * 3 * 64


def test_all_heads_of_santacoder_look_at_one() -> None:
    shared = shape_of({"model_type": "gpt2", **GPT, "attention_head_type": "multiquery"})
    assert shared == shape_of({"model_type": "gpt_bigcode", **GPT})


def test_the_part_for_text_counts_where_a_model_has_others() -> None:
    assert of_config({"model_type": "several", "text_config": {"model_type": "llama", **USUAL}}) == of_config(
        {"model_type": "llama", **USUAL}
    )


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"model_type": "mamba2", **USUAL},
        {"model_type": "llama"},
        {"model_type": "llama", **USUAL, "hidden_size": "wide"},
        {"model_type": "llama", **USUAL, "text_config": 5},
        {"model_type": "deepseek_v2", **ONE_HEAD_EACH, "kv_lora_rank": 16},
        {"model_type": ["llama"]},
    ],
)
def test_nothing_is_guessed_from_a_configuration_that_says_too_little(config: dict[str, Any]) -> None:
    assert of_config(config) is None


def test_a_number_of_weights_alone_says_nothing_of_the_cache() -> None:
    assert of_parameters(7).parameters == 7
    assert of_parameters(7).is_rough
    assert of_parameters(7).cached_at(1000) == 0


def test_a_gguf_file_says_what_its_cache_holds(write_gguf: Callable[..., Path]) -> None:
    metadata = {
        "general.architecture": "qwen2",
        "qwen2.block_count": 3,
        "qwen2.embedding_length": 64,
        "qwen2.attention.head_count": 4,
        "qwen2.attention.head_count_kv": 2,
    }
    plain = of_gguf(gguf.read(write_gguf(metadata, {"a": (4, 8)})))
    assert plain.parameters == 32
    assert plain.cached_at(64) == shape_of({"model_type": "qwen2", **USUAL}).cached_at(64)
    own_widths = metadata | {"qwen2.attention.key_length": 16, "qwen2.attention.value_length": 8}
    assert of_gguf(gguf.read(write_gguf(own_widths, {}))).cached_at(1) == 3 * 2 * (16 + 8)
    layer_by_layer = metadata | {"qwen2.attention.head_count_kv": [0, 2, 2]}
    assert of_gguf(gguf.read(write_gguf(layer_by_layer, {}))).cached_at(1) == plain.cached_at(1)
    windowed = metadata | {"qwen2.attention.sliding_window": 8}
    assert of_gguf(gguf.read(write_gguf(windowed, {}))).cached_at(64) == plain.cached_at(8)


def test_a_gguf_file_that_says_nothing_of_its_layers_has_no_cache(write_gguf: Callable[..., Path]) -> None:
    assert of_gguf(gguf.read(write_gguf({"general.architecture": "odd"}, {}))).cached_at(64) == 0
