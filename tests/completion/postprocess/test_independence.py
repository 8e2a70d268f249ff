"""The import-linter contract names every filter; a new one that is forgotten there fails here."""

import tomllib
from pathlib import Path

import lsp_server

PACKAGE = Path(lsp_server.__file__).parent
PROJECT = PACKAGE.parent / "pyproject.toml"


def test_every_filter_is_under_the_contract():
    contracts = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    (contract,) = (c for c in contracts if c["name"] == "Filters are strangers to each other")
    files = (PACKAGE / "completion" / "postprocess").glob("*.py")
    filters = {path.stem for path in files} - {"__init__", "base"}
    assert set(contract["modules"]) == {f"lsp_server.completion.postprocess.{name}" for name in filters}
