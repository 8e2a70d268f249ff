"""Shared by the tests of the engine."""

import threading

import pytest


class Gate(threading.Event):
    """A gate that also tells when the worker has come to it."""

    def __init__(self):
        super().__init__()
        self.reached = threading.Event()

    def wait(self, timeout=None):
        self.reached.set()
        return super().wait(timeout)


@pytest.fixture
def gate():
    """A gate for the script of a fake backend."""
    return Gate()


@pytest.fixture
def second_gate():
    """Another one."""
    return Gate()
