"""CodeGen2 in the class that the library has for CodeGen; imported only when one is loaded.

Both split the output of ``qkv_proj`` into blocks, one for each processor that they were trained on, and every
block into query, value and key. CodeGen had 4 processors and CodeGen2 has 8. Nothing in the weights shows it:
as they are they load without an error, and write garbage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from transformers import CodeGenForCausalLM
from transformers.conversion_mapping import register_checkpoint_conversion_mapping
from transformers.core_model_loading import ConversionOps, WeightConverter

from lsp_server.errors import ModelDamagedError, ModelLoadError

if TYPE_CHECKING:
    from torch import Tensor

BLOCKS = 8
"""Of the checkpoints."""
_NATIVE_BLOCKS = 4
_PROJECTION = "attn.qkv_proj.weight"


def native_rows(rows: int) -> Tensor:
    """For each row of the library's ``qkv_proj``, the row of the checkpoint's, shape (rows,)."""
    by_part = torch.arange(rows).view(BLOCKS, 3, -1).transpose(0, 1)
    return by_part.reshape(3, _NATIVE_BLOCKS, -1).transpose(0, 1).reshape(rows)


class _Reorder(ConversionOps):  # type: ignore[misc]  # the library has no types
    """Puts the rows of one ``qkv_proj`` into the library's order, before they are quantised or placed."""

    def convert(self, input_dict: dict[str, Any], *, model: Any, **_context: Any) -> dict[str, Any]:
        """One tensor in, one out, by the name of its pattern."""
        ((name, found),) = input_dict.items()
        weight = found[0] if isinstance(found, list) else found
        model.reordered_layers += 1
        return {name: weight[native_rows(weight.shape[0]).to(weight.device)]}


class CodeGen2ForCausalLM(CodeGenForCausalLM):  # type: ignore[misc]  # the library has no types
    """The same network; the weights are re-ordered because they are loaded into a class of this name."""

    reordered_layers = 0


register_checkpoint_conversion_mapping(
    CodeGen2ForCausalLM.__name__, [WeightConverter(_PROJECTION, _PROJECTION, [_Reorder()])], overwrite=True
)


def check_reordered(model: CodeGen2ForCausalLM) -> None:
    """Make sure that every layer was put in order.

    Raises:
        ModelDamagedError: it cannot be, with so many heads.
        ModelLoadError: the library did not do it.
    """
    if model.config.n_head % BLOCKS:
        heads = model.config.n_head
        message = f"The model's {heads} attention heads do not divide into CodeGen2's {BLOCKS} blocks."
        raise ModelDamagedError(message)
    if model.reordered_layers != model.config.n_layer:
        message = "The installed transformers library cannot re-order CodeGen2's weights; update it."
        raise ModelLoadError(message)
