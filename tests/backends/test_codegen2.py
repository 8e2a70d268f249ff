"""CodeGen2 in the library's class, compared with its attention written out anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lsp_server.backends.checkpoint import load_model
from lsp_server.backends.own_code import is_codegen2
from lsp_server.errors import ModelDamagedError
from lsp_server.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

CPU = Settings(device="cpu")
HIDDEN, LAYERS, ROTARY, VOCABULARY = 96, 2, 4, 80
IDS = [3, 17, 42, 5, 5, 61, 8, 79, 0, 12]
AUTO_MAP = {
    "AutoConfig": "configuration_codegen.CodeGenConfig",
    "AutoModelForCausalLM": "modeling_codegen.CodeGenForCausalLM",
}


def reference_scores(weights: dict[str, Tensor], ids: list[int], heads: int, blocks: int) -> Tensor:
    """What a checkpoint makes of a text, for each of its tokens; the projection is split into blocks."""
    import torch
    from torch.nn.functional import gelu, layer_norm, softmax

    size, length = HIDDEN // heads, len(ids)
    hidden = weights["transformer.wte.weight"][ids]
    turns = torch.arange(length)[:, None] / 10_000 ** (torch.arange(0, ROTARY, 2) / ROTARY)
    turn = torch.polar(torch.ones_like(turns), turns)

    def rotated(head: Tensor) -> Tensor:
        pairs = torch.view_as_complex(head[:, :ROTARY].reshape(length, -1, 2).contiguous()) * turn
        return torch.cat((torch.view_as_real(pairs).flatten(1), head[:, ROTARY:]), dim=1)

    for layer in range(LAYERS):
        own = {
            name.removeprefix(f"transformer.h.{layer}."): weight
            for name, weight in weights.items()
            if name.startswith(f"transformer.h.{layer}.")
        }
        normed = layer_norm(hidden, (HIDDEN,), own["ln_1.weight"], own["ln_1.bias"])
        answers = []
        for block in (normed @ own["attn.qkv_proj.weight"].T).chunk(blocks, dim=1):
            query, value, key = (part.split(size, dim=1) for part in block.chunk(3, dim=1))
            for q, k, v in zip(query, key, value, strict=True):
                near = (rotated(q) @ rotated(k).T) / size**0.5
                near = near.masked_fill(torch.ones(length, length).triu(1).bool(), float("-inf"))
                answers.append(softmax(near, dim=1) @ v)
        attended = torch.cat(answers, dim=1) @ own["attn.out_proj.weight"].T
        inner = gelu(normed @ own["mlp.fc_in.weight"].T + own["mlp.fc_in.bias"], approximate="tanh")
        hidden = hidden + attended + inner @ own["mlp.fc_out.weight"].T + own["mlp.fc_out.bias"]
    last = layer_norm(hidden, (HIDDEN,), weights["transformer.ln_f.weight"], weights["transformer.ln_f.bias"])
    return last @ weights["lm_head.weight"].T + weights["lm_head.bias"]


MakeCheckpoint = Callable[..., tuple[Path, dict[str, Any]]]


@pytest.fixture
def make_checkpoint(tmp_path: Path) -> MakeCheckpoint:
    """Saves a CodeGen with random weights, and what its configuration is to say besides."""
    import torch
    from transformers import CodeGenConfig, CodeGenForCausalLM

    def make(heads: int = 8, **said: Any) -> tuple[Path, dict[str, Any]]:
        torch.manual_seed(5)
        config = CodeGenConfig(
            vocab_size=VOCABULARY,
            n_embd=HIDDEN,
            n_layer=LAYERS,
            n_head=heads,
            rotary_dim=ROTARY,
            n_positions=64,
            initializer_range=0.3,
            bos_token_id=1,
            eos_token_id=2,
        )
        model = CodeGenForCausalLM(config)
        model.save_pretrained(tmp_path)
        path = tmp_path / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | said))
        return tmp_path, model.state_dict()

    return make


def scores(model: Any) -> Tensor:
    import torch

    with torch.inference_mode():
        found: Tensor = model(torch.tensor([IDS])).logits[0]
    return found


@pytest.mark.parametrize("heads", [8, 16, 24])
def test_a_codegen2_checkpoint_answers_as_eight_blocks_would(
    make_checkpoint: MakeCheckpoint, heads: int
) -> None:
    import torch

    checkpoint, weights = make_checkpoint(heads, auto_map=AUTO_MAP)
    expected = reference_scores(weights, IDS, heads, blocks=8)
    torch.testing.assert_close(scores(load_model(str(checkpoint), CPU)), expected, rtol=1e-5, atol=1e-5)


def test_the_weights_as_they_are_would_answer_something_else(make_checkpoint: MakeCheckpoint) -> None:
    _checkpoint, weights = make_checkpoint()
    apart = reference_scores(weights, IDS, 8, blocks=8) - reference_scores(weights, IDS, 8, blocks=4)
    assert apart.abs().max() > 0.1


def test_a_codegen_checkpoint_of_the_first_kind_is_left_alone(make_checkpoint: MakeCheckpoint) -> None:
    import torch

    checkpoint, weights = make_checkpoint()
    expected = reference_scores(weights, IDS, 8, blocks=4)
    torch.testing.assert_close(scores(load_model(str(checkpoint), CPU)), expected, rtol=1e-5, atol=1e-5)


def test_heads_that_do_not_divide_into_eight_blocks_are_told(make_checkpoint: MakeCheckpoint) -> None:
    checkpoint, _weights = make_checkpoint(12, auto_map=AUTO_MAP)
    with pytest.raises(ModelDamagedError, match="12 attention heads do not divide into CodeGen2's 8 blocks"):
        load_model(str(checkpoint), CPU)


@pytest.mark.parametrize(
    ("config", "files", "is_one"),
    [
        ({"model_type": "codegen", "auto_map": AUTO_MAP}, {}, True),
        ({"model_type": "codegen"}, {"added_tokens.json": {"<mask_1>": 51199}}, True),
        ({"model_type": "codegen"}, {"added_tokens.json": {"  ": 50286}}, False),
        ({"model_type": "codegen"}, {}, False),
        ({"model_type": "llama", "auto_map": AUTO_MAP}, {"added_tokens.json": {"<mask_1>": 51199}}, False),
    ],
)
def test_codegen2_is_known_by_its_code_or_its_pieces(
    tmp_path: Path, config: dict[str, Any], files: dict[str, Any], is_one: bool
) -> None:
    for name, held in {"config.json": config, **files}.items():
        (tmp_path / name).write_text(json.dumps(held))
    assert is_codegen2(tmp_path) is is_one
