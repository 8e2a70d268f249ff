"""Where a checkpoint runs and in which number format, decided from plain facts about the machine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lsp_server.errors import ModelLoadError

_DEVICE = re.compile(r"cpu|mps|cuda(:\d+)?")
_SIZE = re.compile(r"\d+(?:\.\d+)?\s*[KMGT]i?B")
QUANTIZED = ("int8", "int4")
"""Number formats that a checkpoint is converted to while it is loaded."""


def choose_device(setting: str, cuda_available: bool, mps_available: bool) -> str:
    """The device that the setting ``device`` means on this machine, as torch names it.

    Raises:
        ModelLoadError: it is not here, or there is no such kind.
    """
    if setting == "auto":
        return "cuda:0" if cuda_available else "mps" if mps_available else "cpu"
    if not _DEVICE.fullmatch(setting):
        message = f"The setting device must be auto, cpu, cuda, cuda:N or mps, and not {setting!r}."
        raise ModelLoadError(message)
    here = {"cpu": True, "cuda": cuda_available, "mps": mps_available}
    if not here[setting.partition(":")[0]]:
        message = f"The setting device is {setting}, but torch finds no such device on this machine."
        raise ModelLoadError(message)
    return setting


def choose_dtype(setting: str, device: str, bfloat16_supported: bool) -> str:
    """The number format that the setting ``dtype`` means on a device: torch's name, ``int8`` or ``int4``.

    Args:
        setting: a name, or ``auto``.
        device: as ``choose_device`` gives it.
        bfloat16_supported: whether the device computes in bfloat16.

    Raises:
        ModelLoadError: the device has no such format.
    """
    kind = device.partition(":")[0]
    if setting in QUANTIZED and kind == "mps":
        message = (
            f"The setting dtype is {setting}, which mps does not compute with; take auto or a GGUF model."
        )
        raise ModelLoadError(message)
    if setting != "auto":
        return setting
    if kind == "cuda":
        return "bfloat16" if bfloat16_supported else "float16"
    return "float16" if kind == "mps" else "float32"


def parse_max_memory(entries: Sequence[str]) -> dict[int | str, str]:
    """The setting ``maxMemory`` as accelerate takes it: a size for each device, GPUs by their number.

    Args:
        entries: texts such as ``0=20GiB``, ``cuda:1=20GiB`` or ``cpu=48GB``.

    Raises:
        ModelLoadError: an entry names no device or no size.
    """
    bounds: dict[int | str, str] = {}
    for entry in entries:
        device, _, size = entry.replace(" ", "").partition("=")
        number = device.removeprefix("cuda:")
        if not (number.isdecimal() or device in ("cpu", "mps")) or not _SIZE.fullmatch(size):
            message = f"The setting maxMemory holds texts such as 0=20GiB or cpu=48GiB, and not {entry!r}."
            raise ModelLoadError(message)
        bounds[int(number) if number.isdecimal() else device] = size
    return bounds


def name_devices(device_map: Mapping[str, Any] | None, device: str) -> str:
    """Where the parts of a model are, for people: each device once, as torch names it.

    Args:
        device_map: from a part's name to its device, as accelerate notes it; GPUs may be numbers.
        device: of a model that has none.
    """
    parts = [device] if device_map is None else device_map.values()
    named = (f"cuda:{part}" if isinstance(part, int) else str(part) for part in parts)
    return ", ".join(dict.fromkeys(named))
