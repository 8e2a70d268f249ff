"""Shared by the tests of the engine."""

import asyncio
import threading

import pytest

from lsp_server.engine.ahead import LOOKING_S


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


DUE_S = 10
"""More than any other moment."""


class Moments:
    """Stands in for sleeping: typing rests at once, any other moment passes when the test says so."""

    def __init__(self):
        self.due = asyncio.Event()
        self.looked = asyncio.Event()

    async def __call__(self, seconds):
        if seconds == LOOKING_S:
            await self.looked.wait()
        elif seconds > DUE_S / 2:
            await self.due.wait()


@pytest.fixture
def moments():
    """When a block is due, and when the user has looked at a suggestion for a moment."""
    return Moments()


class Scripts:
    """Another script each time that it is gone through."""

    def __init__(self, *scripts):
        self._scripts = iter(scripts)

    def __iter__(self):
        return iter(next(self._scripts, ["x"]))


@pytest.fixture
def scripts():
    """Makes what a fake backend says, generation by generation."""
    return Scripts


@pytest.fixture
def idle(bench):
    """Waits until the worker is through with what it was on; tells all that it was given to hear."""

    async def wait():
        while not bench.engine.idle:
            await asyncio.sleep(0)
        return bench.backends[0].pulled

    return wait
