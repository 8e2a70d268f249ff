import os

import pytest

from lsp_server import workspace
from lsp_server.settings import Settings
from lsp_server.workspace import project_root, read_source, sources


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    for name in (
        ".git/config",
        "pyproject.toml",
        "a.py",
        "pkg/b.py",
        "pkg/.hidden/c.py",
        "node_modules/d.js",
        "env/pyvenv.cfg",
        "env/lib/e.py",
        "secrets/id_rsa",
        "certificate.pem",
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {name}\n", encoding="utf-8")
    return root


def names(root, settings=None):
    return [path.relative_to(root).as_posix() for path, text in sources(root, settings or Settings()) if text]


def test_what_people_of_the_project_wrote_is_read(project):
    assert names(project) == ["a.py", "pyproject.toml", "pkg/b.py"]


def test_a_path_that_is_disabled_is_never_read(project):
    assert "pkg/b.py" not in names(project, Settings(disabled_globs=("pkg/*",)))


def test_binaries_large_files_and_links_are_left_out(project):
    (project / "binary.py").write_bytes(b"a\0b")
    (project / "latin.py").write_bytes(b"\xe9")
    (project / "large.py").write_text("x" * (workspace.MOST_FILE_BYTES + 1), encoding="utf-8")
    (project / "link.py").symlink_to(project / "a.py")
    os.mkfifo(project / "pipe.py")
    assert names(project) == ["a.py", "pyproject.toml", "pkg/b.py"]


@pytest.mark.parametrize(("bound", "most"), [("MOST_FILES", 1), ("MOST_BYTES", 1), ("MOST_ENTRIES", 2)])
def test_the_work_is_bounded(project, monkeypatch, bound, most):
    monkeypatch.setattr(workspace, bound, most)
    assert names(project) == ["a.py"]


def test_what_is_not_read_is_a_turn_too_so_that_a_folder_of_it_holds_nobody_up(project):
    (project / "binary.py").write_bytes(b"a\0b")
    unread = [path.relative_to(project).as_posix() for path, text in sources(project, Settings()) if not text]
    assert unread == [".", "binary.py", "certificate.pem", "pkg", "secrets", "secrets/id_rsa"]


def test_line_ends_are_one_character(project):
    path = project / "dos.py"
    path.write_bytes(b"a\r\nb\r\n")
    assert read_source(path) == "a\nb\n"


def test_the_root_is_the_nearest_directory_that_looks_like_one(project):
    assert project_root(project / "pkg" / "b.py") == project
    assert project_root(project.parent / "alone" / "f.py") == project.parent / "alone"
