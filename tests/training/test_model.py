from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from training.model import grouped_attention

BATCH, HEADS, KEY_HEADS, TOKENS, WIDTH = 2, 6, 2, 7, 8
SCALING = WIDTH**-0.5


def tensors(key_heads: int) -> list[Tensor]:
    """Query, key and value."""
    torch.manual_seed(1)
    shapes = (HEADS, key_heads, key_heads)
    return [torch.randn(BATCH, heads, TOKENS, WIDTH, requires_grad=True) for heads in shapes]


def grouped(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    mixed, _ = grouped_attention(None, query, key, value, None, scaling=SCALING, dropout=0.0)
    return mixed.transpose(1, 2)


def torchs_own(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    share = HEADS // key.shape[1]
    keys, values = (tensor.repeat_interleave(share, dim=1) for tensor in (key, value))
    return functional.scaled_dot_product_attention(query, keys, values, is_causal=True, scale=SCALING)


@pytest.mark.parametrize("key_heads", [1, KEY_HEADS, HEADS])
def test_our_attention_is_torchs_forward_and_backward(key_heads: int) -> None:
    ours, theirs = tensors(key_heads), tensors(key_heads)
    mixed, expected = grouped(*ours), torchs_own(*theirs)
    torch.testing.assert_close(mixed, expected)
    weights = torch.randn_like(expected)
    (mixed * weights).sum().backward()
    (expected * weights).sum().backward()
    for mine, its in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, its.grad)


def test_no_token_sees_what_follows_it() -> None:
    query, key, value = tensors(KEY_HEADS)
    before = grouped(query, key, value)
    with torch.no_grad():
        key[:, :, -1] += 1
        value[:, :, -1] += 1
    torch.testing.assert_close(grouped(query, key, value)[:, :, :-1], before[:, :, :-1])
