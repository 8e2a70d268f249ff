"""The tables of docs/models.md are compared with the catalogue."""

import runpy
from pathlib import Path

from lsp_server.declared import FORMAT_NAMES
from lsp_server.models.catalogue import catalogue

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "models.md").read_text(encoding="utf-8")


def test_the_tables_of_the_models_page_are_up_to_date():
    updated = runpy.run_path(str(DOCS / "model_table.py"))["updated"]
    assert updated(PAGE) == PAGE, "run python docs/model_table.py"


def test_every_model_and_every_family_is_on_the_models_page():
    for entry in catalogue().values():
        assert f"| `{entry.name}` |" in PAGE
        assert f"| {entry.title}" in PAGE
        assert entry.evidence in PAGE
        assert f"[{entry.licence.name}]({entry.licence.url})" in PAGE


def test_every_format_that_the_settings_take_is_on_the_models_page():
    formats = PAGE.partition("## Formats")[2]
    for name in FORMAT_NAMES:
        assert f"| `{name}` |" in formats


def test_the_prompt_of_a_family_that_is_always_told_the_path_has_it():
    assert "`<filename>{path}⏎<fim_suffix>S<fim_prefix>P<fim_middle>`" in PAGE
