"""Makes an adapter of a checkpoint: python -m training.export RUN OUT [--gguf FILE --quantisation Q8_0].

``OUT`` becomes a folder as peft writes it, with float16 weights and without what only the training needs.
With ``--gguf`` the adapter is also merged into the base, by the code that the server merges it with, and
what the registry pins of the result is printed: its size and its hash.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from lsp_server.errors import FimLsError
from lsp_server.models.adapter import CONFIG, WEIGHTS
from lsp_server.models.merge import merge
from training.base import base_weights

BASE_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
"""What the base goes by where models are looked up; nothing is fetched under this name."""
QUANTISATIONS = ("Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "F16", "F32")
"""How changed weights can be stored."""

Tensors = Mapping[str, np.ndarray[Any, Any]]


class ExportError(FimLsError):
    """The run cannot be exported; one sentence says why."""


def export(run: Path, folder: Path) -> Path:
    """Write the adapter of a run's last checkpoint into a folder, whose path is returned.

    Raises:
        ExportError: the run has no checkpoint that can be read.
    """
    weights = adapter_weights(_checkpoint(run / "checkpoint.safetensors"))
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / WEIGHTS, {"format": "pt"})
    config = json.dumps(adapter_config(weights), indent=2, sort_keys=True)
    (folder / CONFIG).write_text(config + "\n", encoding="utf-8")
    return folder


def adapter_weights(checkpoint: Tensors) -> dict[str, np.ndarray[Any, Any]]:
    """The adapter in a checkpoint, in float16 and under the names that peft gives it in a file."""
    return {
        name.replace(".default.", "."): np.ascontiguousarray(tensor, np.float16)
        for name, tensor in sorted(checkpoint.items())
        if " " not in name  # before the blank stands which of the optimizer's moments it is
    }


def adapter_config(weights: Tensors) -> dict[str, Any]:
    """What peft has to know to load the weights."""
    from training.model import ALPHA, RANK  # noqa: PLC0415  torch, which nothing else here needs

    modules = {name.partition(".lora_")[0].rpartition(".")[2] for name in weights}
    return {
        "base_model_name_or_path": BASE_NAME,
        "bias": "none",
        "inference_mode": True,
        "lora_alpha": ALPHA,
        "peft_type": "LORA",
        "r": RANK,
        "target_modules": sorted(modules),
        "task_type": "CAUSAL_LM",
    }


def merged(base: Path, adapter: Path, target: Path, quantisation: str) -> tuple[int, str]:
    """Merge an adapter into a file; the file's bytes and SHA-256 are returned.

    Raises:
        ModelDamagedError: the adapter is not whole, or not one of this base.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    for _share in merge(base, adapter, partial, quantisation):
        pass
    partial.replace(target)
    with target.open("rb") as file:
        return target.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _checkpoint(path: Path) -> Tensors:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        message = f"There is no checkpoint that can be read at {path}."
        raise ExportError(message) from error


def main() -> None:
    """Export a run."""
    parser = argparse.ArgumentParser(description="Makes an adapter of a run's checkpoint.")
    parser.add_argument("run", type=Path, help="the folder of the run")
    parser.add_argument("out", type=Path, help="the folder of the adapter")
    parser.add_argument(
        "--gguf", type=Path, metavar="FILE", help="merge it into the base as well, and write that"
    )
    parser.add_argument(
        "--quantisation", choices=QUANTISATIONS, default=QUANTISATIONS[0], help="(%(default)s)"
    )
    parser.add_argument("--base", type=Path, help="the base model, if not the one the server fetches")
    options = parser.parse_args()
    try:
        adapter = export(options.run, options.out)
        print(f"{adapter / WEIGHTS}: {(adapter / WEIGHTS).stat().st_size:,} bytes")
        if options.gguf:
            size, sha256 = merged(options.base or base_weights(), adapter, options.gguf, options.quantisation)
            print(f"{options.gguf}: {options.quantisation}, {size:,} bytes, sha256 {sha256}")
    except FimLsError as error:
        sys.exit(f"training.export: {error}")


if __name__ == "__main__":
    main()
