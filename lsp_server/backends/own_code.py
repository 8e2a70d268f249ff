"""Checkpoints that were published with code of their own, and what can be had of them without running it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsp_server.errors import ModelLoadError

CODEGEN2_PIECE = "<mask_1>"
"""In CodeGen2's vocabulary, and not in CodeGen's."""
_SANTACODER = "GPT2LMHeadCustomModel"
_CAUSAL = "AutoModelForCausalLM"


def read_json(path: Path) -> Mapping[str, Any]:
    """The object in a file; empty where none can be read, of which the library will complain."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_codegen2(directory: Path) -> bool:
    """Whether a checkpoint is CodeGen2's, whose architecture goes by the name of CodeGen's.

    CodeGen itself was published for the library's own class, and has no mask pieces.
    """
    config = read_json(directory / "config.json")
    if config.get("model_type") != "codegen":
        return False
    return _CAUSAL in _auto_map(config) or _lists_piece(directory, CODEGEN2_PIECE)


def is_codegen25(directory: Path) -> bool:
    """Whether the tokenizer of a checkpoint is CodeGen2.5's, which consists of code only."""
    return read_json(directory / "tokenizer_config.json").get("tokenizer_class") == "CodeGen25Tokenizer"


def refuse_foreign_class(directory: Path, name: str) -> None:
    """Refuse a model whose class only its own code has, even if the library knows one of its type.

    Raises:
        ModelLoadError: it is one.
    """
    import transformers

    config = read_json(directory / "config.json")
    wanted = str(_auto_map(config).get(_CAUSAL, "")).rpartition(".")[2]
    if not wanted or hasattr(transformers, wanted):
        return
    way_out = "; its conversion bigcode/gpt_bigcode-santacoder needs none" if wanted == _SANTACODER else ""
    message = f"The model {name} runs code of its own, for which trustRemoteCode must be set{way_out}."
    raise ModelLoadError(message)


def _auto_map(config: Mapping[str, Any]) -> Mapping[str, Any]:
    found = config.get("auto_map")
    return found if isinstance(found, dict) else {}


def _lists_piece(directory: Path, piece: str) -> bool:
    files = ("tokenizer.json", "added_tokens.json", "tokenizer_config.json")
    return any(
        json.dumps(piece) in (directory / file).read_text(encoding="utf-8")
        for file in files
        if (directory / file).is_file()
    )
