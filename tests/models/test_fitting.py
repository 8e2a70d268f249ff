from __future__ import annotations

import pytest

from lsp_server.errors import ModelLoadError
from lsp_server.models.fitting import FreeBytes, Wish, refuse_what_cannot_fit

ALL = ("float32", "bfloat16", "int8", "int4")
GB = 10**9
TINY = {
    "model_type": "llama",
    "hidden_size": 1024,
    "num_hidden_layers": 10,
    "num_attention_heads": 8,
    "intermediate_size": 4096,
    "vocab_size": 1000,
}


def refusal(wish: Wish, free: FreeBytes, dtypes: tuple[str, ...] = ALL) -> str:
    with pytest.raises(ModelLoadError) as refused:
        refuse_what_cannot_fit(wish, free, dtypes)
    return str(refused.value)


def test_a_model_that_fits_is_let_through() -> None:
    refuse_what_cannot_fit(Wish("bigcode/starcoder2-15b", "bfloat16", 2048), {"cuda:0": 40 * GB}, ALL)


def test_a_model_that_fits_on_several_devices_together_is_let_through() -> None:
    free = {"cuda:0": 24 * GB, "cuda:1": 24 * GB}
    refuse_what_cannot_fit(Wish("bigcode/starcoder2-15b", "bfloat16", 2048), free, ALL)


def test_a_refusal_has_the_numbers_and_a_smaller_format_that_fits() -> None:
    assert refusal(Wish("bigcode/starcoder2-15b", "bfloat16", 2048), {"cuda:0": 24 * GB}) == (
        "bigcode/starcoder2-15b in bfloat16 takes about 32.1 GB of memory (31.9 GB for its weights "
        "and 168 MB for 2,048 tokens of context), but cuda:0 has 24.0 GB free; dtype int8 would fit."
    )


def test_only_formats_that_the_devices_have_are_named() -> None:
    wish = Wish("bigcode/starcoder2-7b", "float32", 2048)
    assert "; dtype bfloat16 would fit." in refusal(wish, {"cpu": 16 * GB}, ("float32", "bfloat16"))
    assert "; bigcode/starcoder2-3b in float32 would fit." in refusal(wish, {"cpu": 16 * GB}, ("float32",))


def test_a_smaller_sibling_is_named_where_no_format_is_small_enough() -> None:
    told = refusal(Wish("bigcode/starcoder2-15b", "bfloat16", 2048), {"cuda:0": 8 * GB, "cuda:1": 10**8})
    assert "but cuda:0 has 8.0 GB free and cuda:1 has 100 MB free;" in told
    assert told.endswith("; bigcode/starcoder2-7b in int8 would fit.")


def test_a_sibling_is_of_the_same_kind() -> None:
    told = refusal(Wish("codellama/CodeLlama-34b-Python-hf", "bfloat16", 2048), {"cuda:0": 16 * GB})
    assert told.endswith("; codellama/CodeLlama-13b-Python-hf in int8 would fit.")


def test_nothing_is_named_where_nothing_fits() -> None:
    told = refusal(Wish("bigcode/starcoder2-3b", "bfloat16", 2048), {"cpu": GB})
    assert told.endswith("; no smaller choice that is known would fit.")
    assert "but no device has any free;" in refusal(Wish("bigcode/starcoder2-3b", "bfloat16", 2048), {})


def test_the_context_counts() -> None:
    free = {"cuda:0": 15 * GB}
    refuse_what_cannot_fit(Wish("codellama/CodeLlama-7b-hf", "float16", 2048), free, ALL)
    told = refusal(Wish("codellama/CodeLlama-7b-hf", "float16", 16384), free)
    assert "(13.5 GB for its weights and 8.6 GB for 16,384 tokens of context)" in told


def test_scales_of_4_bit_weights_count() -> None:
    wish = Wish("bigcode/starcoder2-15b", "int4", 0)
    assert "takes about 9.8 GB of memory (9.8 GB for its weights" in refusal(wish, {"cuda:0": 9 * GB})


def test_a_configuration_at_hand_is_believed_more_than_the_catalogue() -> None:
    refuse_what_cannot_fit(Wish("bigcode/starcoder2-15b", "float32", 64, TINY), {"cpu": GB}, ALL)
    told = refusal(Wish("mine", "float32", 64, TINY), {"cpu": 5 * 10**8})
    assert told.startswith("mine in float32 takes about 685 MB of memory")
    assert told.endswith("; dtype bfloat16 would fit.")


def test_weights_that_were_quantised_before_are_let_through() -> None:
    config = TINY | {"quantization_config": {"quant_method": "awq"}}
    refuse_what_cannot_fit(Wish("mine", "float16", 64, config), {"cpu": 1}, ALL)


def test_a_model_of_which_nothing_is_known_is_let_through() -> None:
    refuse_what_cannot_fit(Wish("somebody/something", "float32", 2048), {"cpu": 1}, ALL)
    refuse_what_cannot_fit(
        Wish("somebody/something", "float32", 2048, {"model_type": "new"}), {"cpu": 1}, ALL
    )
