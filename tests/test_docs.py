"""What the documents say is compared with the code."""

import re
from pathlib import Path

import pytest

from lsp_server import cli, workspace
from lsp_server.completion import repeats
from lsp_server.engine import instruct
from lsp_server.engine.job import State
from lsp_server.lsp.features import COMMANDS
from lsp_server.lsp.instruct import KINDS
from lsp_server.settings import rows

ROOT = Path(__file__).parent.parent
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def settings_table():
    head = ["| key | takes | unit | default | what it is for |", "| --- | --- | --- | --- | --- |"]
    lines = [f"| `{r.key}` | {r.values} | {r.unit} | `{r.default}` | {r.doc} |" for r in rows()]
    return "\n".join(head + lines)


def test_every_setting_is_documented_with_what_it_takes_its_unit_and_its_default():
    assert settings_table() in (ROOT / "docs/settings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_is_in_the_readme(command):
    assert f"fim-ls {command}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_file_that_a_document_links_to_is_there(path):
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), f"{path.name} links to {link}"


def test_the_architecture_names_every_module_and_no_other():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    tree = text.partition("```\nlsp_server/")[2].partition("```")[0]
    named = set(re.findall(r"\b\w+\.py\b", tree))
    there = {path.name for path in (ROOT / "lsp_server").rglob("*.py") if path.name != "__init__.py"}
    assert named - {"__init__.py"} == there


def test_every_make_target_of_the_readme_is_in_the_makefile():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake (\w+)", (ROOT / "README.md").read_text(encoding="utf-8"))) <= targets


def test_the_protocol_names_every_command_kind_and_state_and_the_bounds_that_hold():
    text = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(fim-ls\.\w+)`", text, re.MULTILINE) == [name for name, _ in COMMANDS]
    for name in (*KINDS.values(), *State):
        assert f"`{name}`" in text
    prose = " ".join(text.split())
    assert f"repeats {repeats.LEAST_CHARACTERS} characters" in prose
    assert f"{instruct.MOST_NEW_TOKENS} tokens are written" in prose
    assert f"fit into {instruct.MOST_INPUT_TOKENS}" in prose
    assert f"larger than {workspace.MOST_FILE_BYTES // 1024} kB" in prose
