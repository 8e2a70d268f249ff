from __future__ import annotations

import pytest

from lsp_server.backends.devices import choose_device, choose_dtype
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
    ],
)
def test_the_number_format_suits_the_device_unless_one_is_named(
    setting: str, device: str, bfloat16: bool, dtype: str
) -> None:
    assert choose_dtype(setting, device, bfloat16) == dtype


@pytest.mark.parametrize("setting", ["int8", "int4"])
@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_quantised_weights_are_refused_where_nothing_computes_with_them(setting: str, device: str) -> None:
    with pytest.raises(ModelLoadError, match=f"{setting}, which needs CUDA"):
        choose_dtype(setting, device, bfloat16_supported=True)
