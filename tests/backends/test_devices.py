from __future__ import annotations

from typing import Any

import pytest

from lsp_server.backends.devices import choose_device, choose_dtype, name_devices, parse_max_memory
from lsp_server.errors import ModelLoadError


@pytest.mark.parametrize(
    ("setting", "cuda", "mps", "device"),
    [
        ("auto", True, False, "cuda:0"),
        ("auto", False, True, "mps"),
        ("auto", False, False, "cpu"),
        ("cpu", True, True, "cpu"),
        ("cuda", True, False, "cuda"),
        ("cuda:1", True, False, "cuda:1"),
        ("mps", False, True, "mps"),
    ],
)
def test_the_best_device_is_taken_unless_one_is_named(
    setting: str, cuda: bool, mps: bool, device: str
) -> None:
    assert choose_device(setting, cuda, mps) == device


@pytest.mark.parametrize("setting", ["cuda", "cuda:0", "mps"])
def test_a_device_that_is_not_here_is_refused_by_name(setting: str) -> None:
    with pytest.raises(ModelLoadError, match=setting):
        choose_device(setting, cuda_available=False, mps_available=False)


@pytest.mark.parametrize("setting", ["tpu", "", "cuda:", "cuda:x", "cpu:0", "CUDA"])
def test_what_is_no_device_is_refused(setting: str) -> None:
    with pytest.raises(ModelLoadError, match="auto, cpu, cuda"):
        choose_device(setting, cuda_available=True, mps_available=True)


@pytest.mark.parametrize(
    ("setting", "device", "bfloat16", "dtype"),
    [
        ("auto", "cuda:0", True, "bfloat16"),
        ("auto", "cuda:0", False, "float16"),
        ("auto", "mps", False, "float16"),
        ("auto", "cpu", True, "float32"),
        ("bfloat16", "cpu", False, "bfloat16"),
        ("int4", "cuda:1", True, "int4"),
        ("int8", "cuda", False, "int8"),
        ("int8", "cpu", False, "int8"),
    ],
)
def test_the_number_format_suits_the_device_unless_one_is_named(
    setting: str, device: str, bfloat16: bool, dtype: str
) -> None:
    assert choose_dtype(setting, device, bfloat16) == dtype


@pytest.mark.parametrize("setting", ["int8", "int4"])
def test_quantised_weights_are_refused_where_nothing_computes_with_them(setting: str) -> None:
    with pytest.raises(ModelLoadError, match=f"{setting}, which mps does not compute with"):
        choose_dtype(setting, "mps", bfloat16_supported=True)


def test_bounds_of_memory_name_gpus_by_number_and_other_devices_by_name() -> None:
    entries = ("0=20GiB", "cuda:1 = 1.5 GB", "cpu=48GiB")
    assert parse_max_memory(entries) == {0: "20GiB", 1: "1.5GB", "cpu": "48GiB"}


@pytest.mark.parametrize("entry", ["20GiB", "0=much", "tpu=1GiB", "0=", "=1GiB", "0=20", "cuda:=1GiB"])
def test_a_bound_without_a_device_or_a_size_is_refused(entry: str) -> None:
    with pytest.raises(ModelLoadError, match=f"maxMemory holds texts such as .*, and not {entry!r}"):
        parse_max_memory([entry])


@pytest.mark.parametrize(
    ("device_map", "named"),
    [
        (None, "mps"),
        ({"": "cpu"}, "cpu"),
        (
            {"embed": 0, "layers.0": 0, "layers.1": 1, "head": "cpu", "norm": "disk"},
            "cuda:0, cuda:1, cpu, disk",
        ),
    ],
)
def test_each_device_of_a_model_is_named_once(device_map: Any, named: str) -> None:
    assert name_devices(device_map, "mps") == named
