from __future__ import annotations

import socket
import subprocess
import sys

import pytest
import torch

from training.processes import Processes

TOGETHER = """
import torch
from training.processes import Processes
processes = Processes()
done = []
for step in range(3):
    done += [(step, piece) for piece in processes.share(step, "abcde")]
counts = torch.zeros(3, 5)
for step, piece in done:
    counts[step, "abcde".index(piece)] += 1
ones, summed = processes.add_up([torch.ones(2), counts])
assert ones.tolist() == [2, 2], ones
assert (summed == 1).all(), summed
processes.end()
print("first" if processes.is_first else "second")
"""


def test_one_process_does_all_the_work() -> None:
    alone = Processes()
    assert alone.is_first
    assert list(alone.share(0, "abc")) == ["a", "b", "c"]
    (same,) = alone.add_up([torch.ones(2)])
    assert same.tolist() == [1, 1]
    alone.end()


def test_two_processes_do_each_piece_once_and_add_up_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": f"{port}", "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    started = []
    for rank in "01":
        monkeypatch.setenv("RANK", rank)
        started.append(subprocess.Popen([sys.executable, "-c", TOGETHER], stdout=subprocess.PIPE, text=True))
    said = [process.communicate(timeout=120)[0].strip() for process in started]
    assert said == ["first", "second"]
