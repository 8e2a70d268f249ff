"""What a checkpoint finds on a machine, of which the tests make one up."""

from __future__ import annotations

import importlib.util
import sys
from types import SimpleNamespace

import psutil
import pytest
import torch

from lsp_server.backends.room import Room, find_room
from lsp_server.errors import ModelLoadError
from lsp_server.settings import Settings

PLAIN = ("float32", "float16", "bfloat16")
QUANTISED = (*PLAIN, "int8", "int4")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """64 bytes of memory, bitsandbytes, and no accelerator."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=64))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: SimpleNamespace())
    return monkeypatch


@pytest.fixture
def gpus(machine: pytest.MonkeyPatch) -> None:
    """Two devices of CUDA with 16 and 24 free bytes."""
    machine.setattr(torch.cuda, "is_available", lambda: True)
    machine.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    machine.setattr(torch.cuda, "device_count", lambda: 2)
    machine.setattr(torch.cuda, "mem_get_info", lambda number: ((16, 24)[number], 99))


def test_on_a_cpu_the_free_memory_counts(machine: pytest.MonkeyPatch) -> None:
    assert find_room(Settings()) == Room("float32", QUANTISED, {"cpu": 64})
    machine.setattr(importlib.util, "find_spec", lambda _name: None)
    assert find_room(Settings()) == Room("float32", PLAIN, {"cpu": 64})


def test_a_model_on_one_device_has_that_devices_memory(gpus: None) -> None:
    assert find_room(Settings()) == Room("bfloat16", QUANTISED, {"cuda:0": 16})
    assert find_room(Settings(device="cuda:1", dtype="int8")) == Room("int8", QUANTISED, {"cuda:1": 24})
    assert find_room(Settings(device="cpu")) == Room("float32", QUANTISED, {"cpu": 64})


@pytest.mark.parametrize("settings", [Settings(device_map="auto"), Settings(max_memory=("0=1GB",))])
def test_a_model_that_is_spread_has_all_devices_and_the_cpus_memory(gpus: None, settings: Settings) -> None:
    assert find_room(settings) == Room("bfloat16", QUANTISED, {"cuda:0": 16, "cuda:1": 24, "cpu": 64})


def test_mps_has_what_metal_recommends_and_no_quantised_formats(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(torch.backends.mps, "is_available", lambda: True)
    machine.setattr(torch.mps, "recommended_max_memory", lambda: 48)
    machine.setattr(torch.mps, "driver_allocated_memory", lambda: 8)
    assert find_room(Settings()) == Room("float16", PLAIN, {"mps": 40})


def test_there_is_no_bound_where_the_disk_takes_the_rest(machine: pytest.MonkeyPatch) -> None:
    assert find_room(Settings(offload_folder="rest")) is None


def test_nothing_is_told_without_the_libraries(machine: pytest.MonkeyPatch) -> None:
    machine.setitem(sys.modules, "psutil", None)
    assert find_room(Settings()) is None


def test_a_device_that_is_not_here_is_one_sentence(machine: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelLoadError, match="torch finds no such device"):
        find_room(Settings(device="cuda"))
