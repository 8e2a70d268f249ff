"""Where the weights of a checkpoint go and in which number format, for ``from_pretrained``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsp_server.backends.devices import QUANTIZED, choose_device, choose_dtype, parse_max_memory
from lsp_server.settings import Settings


def loading_arguments(settings: Settings) -> dict[str, Any]:
    """Device and number format, as ``from_pretrained`` takes them.

    Raises:
        ModelLoadError: this machine lacks what the settings ask for.
    """
    import torch

    device = choose_device(settings.device, torch.cuda.is_available(), torch.backends.mps.is_available())
    bfloat16 = device.startswith("cuda") and torch.cuda.is_bf16_supported()
    dtype = choose_dtype(settings.dtype, device, bfloat16)
    arguments = _placement(settings, device)
    if dtype not in QUANTIZED:
        return arguments | {"dtype": getattr(torch, dtype)}
    # What is not quantised would outweigh the rest in the 32 bits that a CPU takes otherwise.
    kept_in = "bfloat16" if device == "cpu" else choose_dtype("auto", device, bfloat16)
    computed_in = getattr(torch, kept_in)
    return arguments | {"dtype": computed_in, "quantization_config": _quantization(dtype, computed_in)}


def _placement(settings: Settings, device: str) -> dict[str, Any]:
    """On one device, or over as many as accelerate finds; what has no room there may lie on the disk."""
    bounds = parse_max_memory(settings.max_memory)
    if not (settings.device_map or bounds):
        return {"device_map": {"": device}}
    placement: dict[str, Any] = {"device_map": settings.device_map or "auto"}
    if bounds:
        placement["max_memory"] = bounds
    if settings.offload_folder:
        placement["offload_folder"] = str(Path(settings.offload_folder).expanduser())
    return placement


def _quantization(dtype: str, computed_in: Any) -> Any:
    from transformers import BitsAndBytesConfig

    if dtype == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=computed_in
    )
