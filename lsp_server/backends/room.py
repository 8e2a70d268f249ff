"""How much memory a checkpoint may have on this machine, and which number formats it may be in."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass

from lsp_server.backends.devices import QUANTIZED, choose_device, choose_dtype
from lsp_server.settings import Settings


@dataclass(frozen=True)
class Room:
    """What a checkpoint finds when it is loaded.

    Attributes:
        dtype: the number format that the settings mean on the device.
        dtypes: the number formats that can be had.
        free: free memory of the devices that it may be spread over, in bytes.
    """

    dtype: str
    dtypes: tuple[str, ...]
    free: Mapping[str, int]


def find_room(settings: Settings) -> Room | None:
    """The room that the settings leave a checkpoint; None where the disk is part of it, or it cannot be told.

    Raises:
        ModelLoadError: this machine lacks what the settings ask for.
    """
    try:
        import psutil
        import torch
    except ImportError:  # which is told when the model is loaded
        return None
    if settings.offload_folder:
        return None
    device = choose_device(settings.device, torch.cuda.is_available(), torch.backends.mps.is_available())
    bfloat16 = device.startswith("cuda") and torch.cuda.is_bf16_supported()
    dtype = choose_dtype(settings.dtype, device, bfloat16)
    is_spread = bool(settings.device_map or settings.max_memory)
    kind = device.partition(":")[0]
    free: dict[str, int] = {}
    if kind == "cuda":
        numbers = range(torch.cuda.device_count()) if is_spread else [torch.device(device).index or 0]
        free = {f"cuda:{number}": int(torch.cuda.mem_get_info(number)[0]) for number in numbers}
    elif kind == "mps":
        free = {"mps": torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()}
    if kind == "cpu" or is_spread:
        free["cpu"] = psutil.virtual_memory().available
    return Room(dtype, _dtypes(kind), free)


def _dtypes(kind: str) -> tuple[str, ...]:
    """What a kind of device computes with; for 8 and 4 bits another library is needed."""
    plain = ("float32", "float16", "bfloat16")
    has_quantized = kind != "mps" and importlib.util.find_spec("bitsandbytes") is not None
    return (*plain, *QUANTIZED) if has_quantized else plain
