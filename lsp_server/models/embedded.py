"""The weights of the models in the registry: where they lie, how they get there, and whether they are whole.

A file is trusted because its hash was checked once. That it was is noted in a seal beside it, with the size
and the time of change that the file had; while both are the same, the next start need not read 100 MB again.

The file of a model with an adapter is made here, of what was fetched and of the adapter. That takes some
seconds, gives the same bytes everywhere, and is therefore trusted like a download: by its hash.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from lsp_server.errors import DownloadError, UserError
from lsp_server.models.download import OTHERWISE, POLL_S, Cancelled, OnProgress, fetch_weights, sha256_of
from lsp_server.models.registry import Adapter, ModelEntry, WeightsFile, Wheel
from lsp_server.settings import APP_NAME

DATA_DIR_VARIABLE = "FIM_LS_DATA_DIR"
"""Environment variable that names another place for the data."""

_FETCH_SHARE = 0.7
"""Of the progress of a model with an adapter that has to be fetched; merging is the rest."""
_WORK_PREFIX = "fetch-"


def models_dir() -> Path:
    """Where weights are kept; it need not exist."""
    chosen = os.environ.get(DATA_DIR_VARIABLE)
    data = Path(chosen).absolute() if chosen else platformdirs.user_data_path(APP_NAME, appauthor=False)
    return data / "models"


def installed(entry: ModelEntry) -> Path | None:
    """The file that llama.cpp runs; None when there is none that can be trusted."""
    if entry.adapter is None:
        return installed_base(entry)
    path = models_dir() / entry.adapter.filename
    return path if verify(path, entry.adapter) else None


def installed_base(entry: ModelEntry) -> Path | None:
    """The weights as they were published, ours or those of their package; None when none can be trusted."""
    places = (models_dir() / entry.wheel.filename, _in_package(entry.wheel))
    return next((path for path in places if path is not None and verify(path, entry.wheel)), None)


def verify(path: Path, weights: WeightsFile, *, full: bool = False) -> bool:
    """Whether a file is what it must be.

    Args:
        path: the file.
        weights: say what it must be.
        full: read all of it, even if it was found right before and has not changed since.
    """
    try:
        if path.stat().st_size != weights.file_bytes:
            return False
        return (not full and _is_sealed(path, weights)) or _is_right(path, weights)
    except OSError:  # not there, or not for us to read
        return False


def fetch(entry: ModelEntry, on_progress: OnProgress, cancelled: Cancelled) -> Path | None:
    """The file that llama.cpp runs, fetched and made if it is not there; None if it is no longer wanted.

    Of several processes that want it at once, one does the work and the others wait for it.

    Raises:
        ModelError: it could not be had, made, or stored.
    """
    return _found_or_made(entry, installed, _make, on_progress, cancelled)


def fetch_base(entry: ModelEntry, on_progress: OnProgress, cancelled: Cancelled) -> Path | None:
    """The weights as they were published, fetched if they are not there; None if they are no longer wanted.

    Raises:
        DownloadError: they could not be had, or not be stored.
    """
    return _found_or_made(entry, installed_base, _make_base, on_progress, cancelled)


def remove(entry: ModelEntry) -> bool:
    """Delete the weights of a model, what was made of them too; False if there were none.

    Raises:
        UserError: they are not ours to delete, or cannot be deleted now.
    """
    made = entry.adapter is not None and _delete(entry.adapter)
    if _delete(entry.wheel) or made:
        return True
    if installed_base(entry):
        package = entry.wheel.requirement.partition("==")[0]
        message = (
            f"The weights of {entry.name} belong to a package: remove it with `pip uninstall {package}`."
        )
        raise UserError(message)
    return False


def _delete(weights: WeightsFile) -> bool:
    path = models_dir() / weights.filename
    try:
        if not path.exists():
            return False
        path.unlink()
        _seal_path(weights).unlink(missing_ok=True)
    except OSError as error:
        message = f"{path} cannot be deleted: {error.strerror or error}."
        raise UserError(message) from error
    return True


_Find = Callable[[ModelEntry], Path | None]
_Make = Callable[[Path, ModelEntry, OnProgress, Cancelled], Path | None]
"""Works in the directory that it is given, puts the file into its place; None if it is no longer wanted."""


def _found_or_made(
    entry: ModelEntry, find: _Find, make: _Make, on_progress: OnProgress, cancelled: Cancelled
) -> Path | None:
    try:
        path = find(entry) or _make_alone(entry, find, make, on_progress, cancelled)
    except OSError as error:
        message = f"The weights of {entry.name} cannot be kept in {models_dir()}: {error.strerror or error}."
        raise DownloadError(message) from error
    if path is not None:
        on_progress(1.0)
    return path


def _make_alone(
    entry: ModelEntry, find: _Find, make: _Make, on_progress: OnProgress, cancelled: Cancelled
) -> Path | None:
    directory = models_dir()
    directory.mkdir(parents=True, exist_ok=True)
    with _lock(directory, cancelled) as locked:
        if not locked:
            return None
        if path := find(entry):
            return path
        for left_behind in directory.glob(f"{_WORK_PREFIX}*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        with tempfile.TemporaryDirectory(
            prefix=_WORK_PREFIX, dir=directory, ignore_cleanup_errors=True
        ) as work:
            return make(Path(work), entry, on_progress, cancelled)


def _make(work: Path, entry: ModelEntry, on_progress: OnProgress, cancelled: Cancelled) -> Path | None:
    if entry.adapter is None:
        return _make_base(work, entry, on_progress, cancelled)
    base, merging_from = installed_base(entry), 0.0
    if base is None:
        base = _make_base(work, entry, lambda share: on_progress(share * _FETCH_SHARE), cancelled)
        merging_from = _FETCH_SHARE
    if base is None:
        return None

    def on_merged(share: float) -> None:
        on_progress(merging_from + share * (1 - merging_from))

    return _merge_into(work, base, entry.adapter, on_merged, cancelled)


def _make_base(work: Path, entry: ModelEntry, on_progress: OnProgress, cancelled: Cancelled) -> Path | None:
    fetched = fetch_weights(entry.wheel, work, on_progress, cancelled)
    return _put_into_place(fetched, entry.wheel) if fetched else None


def _merge_into(
    work: Path, base: Path, adapter: Adapter, on_progress: OnProgress, cancelled: Cancelled
) -> Path | None:
    """Merge in ``work``, and put the file into its place only once it is whole and what it must be."""
    from lsp_server.models.merge import merge  # noqa: PLC0415 - a server whose file is there needs no numpy

    merged = work / adapter.filename
    with contextlib.closing(merge(base, adapter.path, merged, adapter.quantisation)) as shares:
        for share in shares:
            if cancelled():
                return None
            on_progress(share)
    if sha256_of(merged) != adapter.sha256:
        message = (
            f"{adapter.filename}, which is made of {base.name} and an adapter, did not become what it "
            f"must be: install fim-ls again, {OTHERWISE}."
        )
        raise DownloadError(message)
    return _put_into_place(merged, adapter)


def _put_into_place(made: Path, weights: WeightsFile) -> Path:
    path = models_dir() / weights.filename
    made.replace(path)
    _write_seal(path, weights)
    return path


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


def _in_package(wheel: Wheel) -> Path | None:
    """The weights in the installed package, found without running any of its code."""
    spec = importlib.util.find_spec(wheel.package)
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) / wheel.filename if places else None


def _seal_path(weights: WeightsFile) -> Path:
    return models_dir() / f"{weights.filename}.seal"


def _seal(path: Path, weights: WeightsFile) -> str:
    facts = path.stat()
    return f"{weights.sha256} {facts.st_size} {facts.st_mtime_ns} {str(path)!a}"


def _is_right(path: Path, weights: WeightsFile) -> bool:
    """Whether the file has the hash it must have; that it has is sealed."""
    right = sha256_of(path) == weights.sha256
    if right:
        _write_seal(path, weights)
    else:
        _seal_path(weights).unlink(missing_ok=True)
    return right


def _is_sealed(path: Path, weights: WeightsFile) -> bool:
    try:
        return _seal_path(weights).read_text(encoding="ascii") == _seal(path, weights)
    except (OSError, UnicodeDecodeError):
        return False


def _write_seal(path: Path, weights: WeightsFile) -> None:
    seal = _seal_path(weights)
    with contextlib.suppress(OSError):  # without a seal the next start reads the file again
        seal.parent.mkdir(parents=True, exist_ok=True)
        seal.write_text(_seal(path, weights), encoding="ascii")
