import socket

import pytest

from lsp_server import cli
from lsp_server.cli import web
from lsp_server.lsp import server

URL = "http://127.0.0.1:4711"


@pytest.fixture
def opened(monkeypatch):
    """What the browser is told to open; nothing is served."""
    opened = []

    def serve_ws(_host, _port, _new_completer, _layers, website):
        website.announce(URL)
        return 0

    monkeypatch.setattr(server, "serve_ws", serve_ws)
    monkeypatch.setattr(web, "open_browser", opened.append)
    monkeypatch.setattr(web, "has_display", lambda: True)
    return opened


def test_the_address_is_told_and_opened(fim_ls, opened):
    code, out, _ = fim_ls("demo", "--web", "--backend", "echo")
    assert (code, opened) == (0, [f"{URL}/"])
    assert out == f"The editor is at {URL}/ (Ctrl+C ends it)\n"


def test_no_browser_is_opened_where_none_is_wanted(fim_ls, opened):
    fim_ls("demo", "--web", "--backend", "echo", "--no-browser")
    assert opened == []


def test_no_browser_is_opened_where_it_would_have_no_window(fim_ls, opened, monkeypatch):
    monkeypatch.setattr(web, "has_display", lambda: False)
    fim_ls("demo", "--web", "--backend", "echo")
    assert opened == []


@pytest.mark.parametrize(
    ("platform", "environment", "display"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_a_display_is_known_by_the_environment(platform, environment, display, monkeypatch):
    monkeypatch.setattr(web.sys, "platform", platform)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert web.has_display() is display


def test_a_port_that_is_taken_is_one_sentence(fim_ls):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = fim_ls("demo", "--web", "--backend", "echo", "--no-browser", "--port", port)
    assert code == 2
    assert err.startswith(f"fim-ls: 127.0.0.1:{port} cannot be listened on: ")


@pytest.mark.parametrize("port", ["65536", "-1", "http"])
def test_what_is_no_port_is_said_to_be_none(port, capsys):
    with pytest.raises(SystemExit):
        cli.main(["demo", "--web", f"--port={port}"])
    assert f"{port!r} is no port" in capsys.readouterr().err
