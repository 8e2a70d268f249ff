from __future__ import annotations

from typing import Any

import pytest

from lsp_server.backends.kv_cache import CachedReader
from lsp_server.errors import BackendError, ModelLoadError, OutOfMemoryError

IDS = [5, 6, 7, 8, 9, 10]


@pytest.fixture
def reader(tiny_model: Any) -> CachedReader:
    return CachedReader(tiny_model)


def sliding(tiny_model: Any) -> CachedReader:
    """A reader whose model looks back over four tokens only."""
    from transformers import Starcoder2Config, Starcoder2ForCausalLM

    return CachedReader(
        Starcoder2ForCausalLM(
            Starcoder2Config(
                vocab_size=tiny_model.config.vocab_size,
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                sliding_window=4,
            )
        ).eval()
    )


def test_nothing_is_kept_before_anything_was_read(reader: CachedReader) -> None:
    assert reader.rewind(IDS) == 0


def test_the_common_beginning_is_kept(reader: CachedReader) -> None:
    reader.read(IDS)
    assert reader.rewind([5, 6, 7, 1, 2]) == 3


def test_the_last_token_is_read_again_for_its_scores(reader: CachedReader) -> None:
    reader.read(IDS)
    assert reader.rewind(IDS) == len(IDS) - 1


def test_what_was_generated_is_kept_with_the_prompt(reader: CachedReader) -> None:
    reader.read(IDS)
    reader.read([11])
    assert reader.rewind([*IDS, 11, 12]) == len(IDS) + 1


def test_another_prompt_starts_afresh(reader: CachedReader) -> None:
    reader.read(IDS)
    assert reader.rewind([1, 2, 3]) == 0
    assert reader.read([1, 2, 3]).tolist() == CachedReader(reader._model).read([1, 2, 3]).tolist()


def test_scores_are_the_same_with_and_without_the_cache(reader: CachedReader) -> None:
    import torch

    other = [*IDS[:4], 20, 21]
    reader.read(IDS)
    kept = reader.rewind(other)
    warm, cold = reader.read(other[kept:]), CachedReader(reader._model).read(other)
    assert kept == 4
    torch.testing.assert_close(warm, cold, rtol=1e-4, atol=1e-4)


def test_a_window_that_slid_past_the_common_beginning_is_read_anew(tiny_model: Any) -> None:
    import torch

    reader = sliding(tiny_model)
    reader.read(IDS)
    other = [*IDS[:5], 20]
    assert reader.rewind(other) == 0
    torch.testing.assert_close(
        reader.read(other), CachedReader(reader._model).read(other), rtol=1e-4, atol=1e-4
    )


def test_a_sliding_window_goes_on_from_where_it_is(tiny_model: Any) -> None:
    import torch

    reader = sliding(tiny_model)
    reader.read(IDS)
    assert reader.rewind([*IDS, 20]) == len(IDS)
    torch.testing.assert_close(
        reader.read([20]), CachedReader(reader._model).read([*IDS, 20]), rtol=1e-4, atol=1e-4
    )


def test_pieces_longer_than_a_sliding_window_are_read_as_the_whole_would_be(tiny_model: Any) -> None:
    import torch

    reader, ids = sliding(tiny_model), [*IDS, *reversed(IDS), *IDS]
    reader.read(ids[: len(IDS)])
    reader.read(ids[len(IDS) : len(IDS) + 3])
    with torch.inference_mode():
        whole = reader._model(torch.tensor([ids]), use_cache=False).logits[0, -1].numpy()
    torch.testing.assert_close(reader.read(ids[len(IDS) + 3 :]), whole, rtol=1e-4, atol=1e-4)


def recurrent() -> Any:
    """A model with a layer that sums up what it has read, and one that attends to it."""
    from transformers import GraniteMoeHybridConfig, GraniteMoeHybridForCausalLM

    return GraniteMoeHybridForCausalLM(
        GraniteMoeHybridConfig(
            vocab_size=100,
            hidden_size=32,
            intermediate_size=64,
            shared_intermediate_size=64,
            num_local_experts=0,
            num_attention_heads=4,
            num_key_value_heads=2,
            num_hidden_layers=2,
            layer_types=["mamba", "attention"],
            mamba_n_heads=8,
            mamba_d_head=8,
            mamba_n_groups=1,
            mamba_d_state=16,
        )
    ).eval()


def test_a_recurrent_state_goes_on_but_never_back() -> None:
    import torch

    reader = CachedReader(recurrent())
    reader.read(IDS[:3])
    assert reader.rewind([*IDS, 20]) == 3
    scores = reader.read([*IDS[3:], 20])
    torch.testing.assert_close(scores, CachedReader(reader._model).read([*IDS, 20]), rtol=1e-3, atol=1e-4)
    other = [*IDS[:5], 21]
    assert reader.rewind(other) == 0
    torch.testing.assert_close(
        reader.read(other), CachedReader(reader._model).read(other), rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize(
    "message", ["CUDA out of memory. Tried to allocate", "DefaultCPUAllocator: can't allocate memory"]
)
def test_a_full_device_is_told_and_the_cache_dropped(
    reader: CachedReader, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_options: object) -> None:
        raise RuntimeError(message)

    reader.read(IDS)
    monkeypatch.setattr(reader, "_model", full)
    with pytest.raises(OutOfMemoryError, match="out of memory") as failure:
        reader.read([11])
    assert failure.value.__context__ is None, "the library's error would keep its tensors alive"
    assert reader.rewind(IDS) == 0


def test_any_other_failure_of_the_model_is_ours_too(reader: CachedReader) -> None:
    with pytest.raises(BackendError, match="IndexError"):
        reader.read([10**6])


def test_a_model_without_a_kv_cache_is_refused() -> None:
    class Recurrent:
        def forward(self, input_ids: object, state: object) -> None: ...

    with pytest.raises(ModelLoadError, match="no KV cache"):
        CachedReader(Recurrent())
