from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.models import gguf
from lsp_server.models.catalogue import CatalogueEntry, find
from lsp_server.models.memory import WEIGHT_BYTES, Memory, estimate, estimate_gguf, in_words
from lsp_server.models.shape import Shape, of_parameters

STARCODER2_15B_CARD = {"bfloat16": 32251.33, "int8": 16900.18, "int4": 9224.60}
"""What ``get_memory_footprint`` gave on the model card, in millions of bytes."""

ROTARY_TABLES_BYTES = 40 * 2 * 16384 * 128 * 2
"""What the library kept then and does not now: a cosine and a sine for every position, in all layers."""


@pytest.fixture
def starcoder2() -> CatalogueEntry:
    entry = find("bigcode/starcoder2-15b")
    assert entry is not None
    return entry


@pytest.mark.parametrize(("dtype", "megabytes"), STARCODER2_15B_CARD.items())
def test_the_estimate_is_within_five_percent_of_the_model_card(
    starcoder2: CatalogueEntry, dtype: str, megabytes: float
) -> None:
    weights = estimate(starcoder2.shape, dtype, 0).weights
    assert weights / 1e6 == pytest.approx(megabytes, rel=0.05)


@pytest.mark.parametrize(("dtype", "megabytes"), STARCODER2_15B_CARD.items())
def test_the_rotary_tables_of_those_days_are_all_that_the_model_card_has_more(
    starcoder2: CatalogueEntry, dtype: str, megabytes: float
) -> None:
    weights = estimate(starcoder2.shape, dtype, 0).weights
    assert (weights + ROTARY_TABLES_BYTES) / 1e6 == pytest.approx(megabytes, abs=0.03)


def test_a_sliding_window_bounds_the_cache(starcoder2: CatalogueEntry) -> None:
    at_window = estimate(starcoder2.shape, "bfloat16", 4096)
    assert at_window.cache == 40 * 4096 * 2 * 4 * 128 * 2
    assert estimate(starcoder2.shape, "bfloat16", 16384).cache == at_window.cache
    assert estimate(starcoder2.shape, "bfloat16", 1024).cache == at_window.cache / 4


def test_quantised_formats_shrink_the_matrices_and_leave_the_rest_in_16_bits() -> None:
    shape = Shape(linear_weights=6400, other_weights=100, layers=2, cached_numbers=8)
    assert estimate(shape, "float32", 10) == Memory(26000, cache=640)
    assert estimate(shape, "float16", 10) == estimate(shape, "bfloat16", 10) == Memory(13000, cache=320)
    assert estimate(shape, "int8", 10) == Memory(6600, cache=320)
    assert estimate(shape, "int4", 10) == Memory(3400, scales=400, cache=320)
    assert estimate(shape, "int4", 10).total == 4120


@pytest.mark.parametrize("dtype", WEIGHT_BYTES)
def test_the_number_of_weights_is_enough_for_a_rough_estimate(dtype: str) -> None:
    assert estimate(of_parameters(1_000_000), dtype, 4096).weights == WEIGHT_BYTES[dtype] * 1_000_000


def test_a_gguf_file_takes_its_own_length_and_a_cache_in_16_bits(write_gguf: Callable[..., Path]) -> None:
    metadata = {
        "general.architecture": "llama",
        "llama.block_count": 2,
        "llama.embedding_length": 32,
        "llama.attention.head_count": 4,
    }
    path = write_gguf(metadata, {"a": (32, 4)})
    assert estimate_gguf(gguf.read(path), 10) == Memory(path.stat().st_size, cache=2 * 2 * 32 * 10 * 2)


def test_sizes_are_told_as_model_cards_tell_them() -> None:
    assert in_words(32_251_330_000) == "32.3 GB"
    assert in_words(268_900_000) == "269 MB"
