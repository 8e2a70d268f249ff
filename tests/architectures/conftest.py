"""Tiny checkpoints of every architecture, which have learnt by heart what belongs at two cursors."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from lsp_server import cli
from lsp_server.backends.base import LoadedModel
from lsp_server.backends.checkpoint import load_tokenizer
from lsp_server.backends.gpt2_tokenizers import CODEGEN2, build
from lsp_server.backends.hf_tokenizer import HfTokenizer
from lsp_server.completion.fim import FORMATS
from lsp_server.engine.probe import ENOUGH, HOLES, Hole, request_for
from lsp_server.models.embedded import DATA_DIR_VARIABLE
from lsp_server.settings import Settings

FIB = ("def fib(n: int):|\n", "\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)")
SAYS = 'f"### 系統\uff1a{}\uff0c{{name}}!"'
"""What is said in Chinese, punctuation and all."""
HELLO = (
    "\n\ndef hello(name: str):\n    print(|)\n\ndef goodbye(name: str):\n    print("
    + SAYS.format("再會了")
    + ")\n\n",
    SAYS.format("你好"),
)
EXAMPLES = {"fib": FIB, "hello": HELLO}
"""Text with a cursor, and what belongs there."""

LLAMA = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
GPT2 = {"n_layer": 2, "n_embd": 32, "n_head": 8, "n_positions": 512}


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_hurry: None) -> None:
    """No test sees the settings of who runs it, or what was found out before."""
    monkeypatch.setattr("lsp_server.settings.platformdirs.user_config_path", lambda *_a, **_k: tmp_path)
    monkeypatch.setenv(DATA_DIR_VARIABLE, str(tmp_path))


@dataclass(frozen=True)
class Family:
    """A family of models: its architecture as the library names it, and its prompt format.

    Attributes:
        is_tried: whether other models have the same architecture and sentinels, so that only a
            trial can tell that one of them was trained to fill in the middle.
    """

    architecture: str
    form: str
    config: dict[str, Any] = field(default_factory=lambda: dict(LLAMA))
    tokenizer: str = "byte-level"
    is_tried: bool = False


FAMILIES = {
    "starcoder": Family("GPTBigCode", "starcoder", {**GPT2, "multi_query": True}),
    "santacoder": Family("GPTBigCode", "santacoder", {**GPT2, "multi_query": True}),
    "starcoder2": Family("Starcoder2", "starcoder2", {**LLAMA, "sliding_window": 32}),
    "codegen2": Family("CodeGen", "codegen2", {**GPT2, "rotary_dim": 4, "n_inner": 64}, "gpt2"),
    "code-llama": Family("Llama", "code-llama", tokenizer="sentencepiece"),
    "deepseek-coder": Family("Llama", "deepseek-coder"),
    "qwen2.5-coder": Family("Qwen2", "qwen2.5-coder", is_tried=True),
    "qwen3-coder": Family("Qwen3", "qwen2.5-coder", {**LLAMA, "head_dim": 8}, is_tried=True),
    "codegemma": Family("Gemma", "codegemma", {**LLAMA, "head_dim": 8}),
    "codestral": Family("Mistral", "codestral", {**LLAMA, "head_dim": 8}, "sentencepiece", is_tried=True),
    "granite": Family("Granite", "granite-3.3"),
    "stable-code": Family("StableLm", "stable-code"),
    "stable-code-alpha": Family(
        "GPTNeoX",
        "starcoder",
        {name: LLAMA[name] for name in LLAMA if name != "num_key_value_heads"},
        is_tried=True,
    ),
}


def special_pieces(form: str) -> list[str]:
    """All special pieces that a format may put or wait for."""
    found = FORMATS[form]
    files = found.files
    named = (*found.layout, *found.stops, *files.repository, *files.other, *files.own, *files.head)
    pieces = [piece for piece in named if "{" not in piece]
    return list(dict.fromkeys([found.bos or "<|endoftext|>", *pieces]))


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[[Family, Path], None]:
    """Saves the tokenizer of a family, trained on what the examples are written with."""

    def make(family: Family, folder: Path) -> None:
        texts = [text.replace("|", middle) for text, middle in EXAMPLES.values()]
        pieces = special_pieces(family.form)
        maker = {"byte-level": _byte_level, "sentencepiece": _sentence_piece, "gpt2": _gpt2}[family.tokenizer]
        maker(texts, pieces, folder)

    return make


def _byte_level(texts: Sequence[str], pieces: list[str], folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=pieces, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    if pieces[0] != "<|endoftext|>":
        begin = [(pieces[0], tokenizer.token_to_id(pieces[0]))]
        tokenizer.post_processor = processors.TemplateProcessing(f"{pieces[0]} $A", special_tokens=begin)
    _save(tokenizer, pieces, folder)


def _sentence_piece(texts: Sequence[str], pieces: list[str], folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, processors, trainers
    from tokenizers.pre_tokenizers import Metaspace

    in_bytes = [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=["<unk>", *pieces, *in_bytes], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    written = json.loads(tokenizer.to_str())
    written["added_tokens"] = [added for added in written["added_tokens"] if added["content"] not in in_bytes]
    tokenizer = Tokenizer.from_str(json.dumps(written))
    begin = [("<s>", tokenizer.token_to_id("<s>"))]
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=begin)
    _save(tokenizer, pieces, folder)


def _save(tokenizer: Any, pieces: list[str], folder: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    stop = next(piece for piece in pieces if piece in ("</s>", "<eos>", "<|endoftext|>") or "end" in piece)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=pieces[0], eos_token=stop).save_pretrained(
        folder
    )


def _gpt2(texts: Sequence[str], _pieces: list[str], folder: Path) -> None:
    """GPT-2's two files with few pieces in them, as CodeGen2 ships them; the rest of it is ours to add."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=330, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.model.save(str(folder))
    path = folder / "vocab.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "<|endoftext|>": 50256}))
    own = {
        "model_type": "codegen",
        "auto_map": {"AutoModelForCausalLM": "modeling_codegen.CodeGenForCausalLM"},
    }
    (folder / "config.json").write_text(json.dumps({**own, "vocab_size": 51_200}))
    assert build(folder, CODEGEN2, folder) is not None


@dataclass(frozen=True)
class Learnt:
    """A checkpoint, and by example: the cursor in a file of its own, what belongs there, its tokens."""

    checkpoint: Path
    family: Family
    places: dict[str, str]
    middles: dict[str, str]
    tokens: dict[str, int]


@pytest.fixture(scope="session", params=FAMILIES)
def learnt(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    make_tokenizer: Callable[[Family, Path], None],
) -> Learnt:
    """Each family's checkpoint in turn."""
    family, folder = FAMILIES[request.param], tmp_path_factory.mktemp("model")
    make_tokenizer(family, folder)
    tokenizer = HfTokenizer(_with_config(family, folder))
    places = {
        name: _written(text, folder / "work" / f"{name}.py") for name, (text, _middle) in EXAMPLES.items()
    }
    lessons = [_lesson(places[name], folder, tokenizer, family, EXAMPLES[name][1]) for name in EXAMPLES]
    if family.is_tried:
        lessons += [_trial(hole, tokenizer, family) for hole in HOLES[:ENOUGH]]
    _teach(family, folder, tokenizer, lessons)
    middles = {name: middle for name, (_text, middle) in EXAMPLES.items()}
    tokens = {name: len(answer) - 1 for name, (_prompt, answer) in zip(EXAMPLES, lessons, strict=False)}
    return Learnt(folder, family, places, middles, tokens)


def _written(text: str, path: Path) -> str:
    """The file without its cursor; where that is."""
    before, after = text.split("|")
    path.parent.mkdir(exist_ok=True)
    path.write_text(before + after, encoding="utf-8")
    return f"{path}:{before.count(chr(10)) + 1}:{len(before.rpartition(chr(10))[2]) + 1}"


def _with_config(family: Family, folder: Path) -> Any:
    """The tokenizer, once there is something that the folder can pass for."""
    if not (folder / "config.json").exists():
        import transformers

        kind = getattr(transformers, f"{family.architecture}Config").model_type
        (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    return load_tokenizer(str(folder), Settings())


def _lesson(
    place: str, folder: Path, tokenizer: HfTokenizer, family: Family, middle: str
) -> tuple[list[int], list[int]]:
    """The ids of the prompt as the command shows it, and those that are to follow."""
    with redirect_stdout(StringIO()) as out:
        assert cli.main(["prompt", place, "--model", str(folder), "--json"]) == 0
    prompt = json.loads(out.getvalue())
    assert prompt["format"] == family.form
    assert prompt["known_by"] == ("probe" if family.is_tried else "config")
    stop = tokenizer.special_id(FORMATS[family.form].stops[0])
    assert stop is not None
    return prompt["token_ids"], [*tokenizer.encode_inside(prompt["healed"] + middle), stop]


def _trial(hole: Hole, tokenizer: HfTokenizer, family: Family) -> tuple[list[int], list[int]]:
    """A hole that models are tried with, and the right answer, which is the word and no more."""
    form = FORMATS[family.form]
    request = request_for(hole, form, LoadedModel("", "cpu", 512, tokenizer))
    stop = tokenizer.special_id(form.stops[0])
    assert request.ids is not None
    assert stop is not None
    return list(request.ids), [*tokenizer.encode_inside(request.healed + hole.word), stop]


def _teach(
    family: Family, folder: Path, tokenizer: HfTokenizer, lessons: list[tuple[list[int], list[int]]]
) -> None:
    import torch
    import transformers

    torch.manual_seed(3)
    size = 1 + max(token for prompt, answer in lessons for token in (*prompt, *answer))
    size = 51_200 if family.tokenizer == "gpt2" else max(size, len(tokenizer._tokenizer))
    config = getattr(transformers, f"{family.architecture}Config")(
        **{
            "vocab_size": size,
            "bos_token_id": None,
            "eos_token_id": None,
            "pad_token_id": None,
            **family.config,
        }
    )
    model = transformers.AutoModelForCausalLM.from_config(config)
    model.eval()  # no dropout: it is to learn by heart
    learner = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
    for _step in range(400):
        losses = [_loss(model, prompt, answer) for prompt, answer in lessons]
        if max(loss.item() for loss in losses) < 0.05:
            break
        learner.zero_grad()
        torch.stack(losses).sum().backward()
        learner.step()
    _save_as_published(model, folder)


def _loss(model: Any, prompt: list[int], answer: list[int]) -> Any:
    import torch

    ids = torch.tensor([prompt + answer])
    scores = model(ids, use_cache=False, logits_to_keep=len(answer) + 1).logits[0, :-1]
    return torch.nn.functional.cross_entropy(scores, torch.tensor(answer))


def _save_as_published(model: Any, folder: Path) -> None:
    """CodeGen2's weights are in eight blocks, and its configuration names code of its own."""
    said = json.loads((folder / "config.json").read_text())
    if model.config.model_type == "codegen":
        from lsp_server.backends.codegen2 import native_rows

        for name, weight in model.named_parameters():
            if "qkv_proj" in name:
                weight.data[native_rows(len(weight))] = weight.data.clone()
    model.save_pretrained(folder)
    if "auto_map" in said:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "auto_map": said["auto_map"]}))
