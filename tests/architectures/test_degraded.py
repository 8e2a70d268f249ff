"""Models that cannot be asked as their vocabulary suggests: each is told in a sentence of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp_server import cli

CODE = "def area(width):\n    return \n"
SENTINELS = ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"]

Command = Callable[..., tuple[int, str, str]]
Checkpoint = Callable[..., Path]


@pytest.fixture
def fim_ls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command at a place of a file, with a model: exit code, standard output, standard error."""
    path = tmp_path / "area.py"
    path.write_text(CODE, encoding="utf-8")

    def run(command: str, model: Path) -> tuple[int, str, str]:
        place = [f"{path}:2:12"] if command != "doctor" else []
        code = cli.main([command, *place, "--model", str(model), "--device", "cpu", "--json"])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    """Makes a checkpoint of two layers that has learnt nothing, with these special pieces and names."""

    def make(pieces: list[str], name: str = "mine", architecture: str = "GPTBigCode", **config: Any) -> Path:
        folder = tmp_path / name
        _save_tokenizer(pieces, folder)
        _save_model(architecture, folder)
        written = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**written, **config}))
        return folder

    return make


def _save_tokenizer(pieces: list[str], folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|endoftext|>", *pieces],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([CODE], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")
    fast.save_pretrained(folder)


def _save_model(architecture: str, folder: Path) -> None:
    import torch
    import transformers

    torch.manual_seed(3)
    config = getattr(transformers, f"{architecture}Config")(
        vocab_size=300,
        num_hidden_layers=2,
        hidden_size=32,
        intermediate_size=64,
        num_attention_heads=4,
        max_position_embeddings=512,
    )
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)


def test_a_model_on_the_deny_list_is_shown_no_suffix(fim_ls: Command, checkpoint: Checkpoint) -> None:
    folder = checkpoint(SENTINELS, "CodeLlama-7b-Python-hf", "Llama")
    sentence = (
        "CodeLlama-7b-Python-hf, which is codellama/CodeLlama-7b-Python-hf, was not trained to fill in the "
        "middle, whatever its vocabulary has; it is shown only what stands before the cursor."
    )
    prompt = json.loads(fim_ls("prompt", folder)[1])
    assert (prompt["order"], prompt["family"], prompt["why"]) == ("causal", "Code Llama", sentence)
    code, _, err = fim_ls("complete", folder)
    assert (code, err) == (0, f"fim-ls: {sentence}\n")


def test_a_model_with_a_sentinel_of_two_ids_completes_without_and_says_so(
    fim_ls: Command, checkpoint: Checkpoint
) -> None:
    code, out, err = fim_ls("complete", checkpoint(SENTINELS[:2], "starcoderbase-1b"))
    assert (code, json.loads(out)["backend"]) == (0, "transformers")
    assert err == (
        "fim-ls: starcoderbase-1b cannot be asked in the format starcoder: <fim_middle> is not one piece of "
        "its vocabulary; it is shown only what stands before the cursor.\n"
    )


def test_a_model_that_has_the_sentinels_and_learnt_nothing_is_found_out(
    fim_ls: Command, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lsp_server.models.identity._SHARED", (("gpt_bigcode", "starcoder"),))
    folder = checkpoint(SENTINELS)
    before = json.loads(fim_ls("prompt", folder)[1])
    assert (before["format"], before["known_by"]) == ("starcoder", "probe")
    sentence = (
        "mine has the sentinels of starcoder or refact, but did not fill in the middle when it was tried; "
        "it is shown only what stands before the cursor."
    )
    code, _, err = fim_ls("complete", folder)
    assert (code, err) == (0, f"fim-ls: {sentence}\n")
    after = json.loads(fim_ls("prompt", folder)[1])
    assert (after["format"], after["known_by"], after["why"]) == ("causal", "probe", sentence)
    findings = {each["name"]: each for each in json.loads(fim_ls("doctor", folder)[1])["findings"]}
    assert findings["template"]["detail"] == f"causal (causal). {sentence}"


def test_a_model_that_needs_code_of_its_own_is_refused(fim_ls: Command, checkpoint: Checkpoint) -> None:
    own = {"AutoConfig": "configuration_mine.MineConfig", "AutoModelForCausalLM": "modeling_mine.MineModel"}
    folder = checkpoint(SENTINELS, model_type="mine", auto_map=own)
    code, out, err = fim_ls("complete", folder)
    assert (code, out) == (1, "")
    assert err == "fim-ls: The model mine runs code of its own, for which trustRemoteCode must be set.\n"
