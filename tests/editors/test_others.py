"""The recipes of editors/others are at least what their readers can paste."""

import json

from lsp_server.settings import rows


def test_each_configuration_is_json_and_starts_the_server(code_blocks):
    configurations = code_blocks("others", "json")
    assert configurations
    for configuration in configurations:
        json.loads(configuration)
        assert "fim-ls" in configuration
        assert '"serve", "--stdio"]' in configuration


def test_each_setting_in_them_is_one(code_blocks):
    known = {row.key for row in rows()}
    for configuration in code_blocks("others", "json"):
        for client in json.loads(configuration).get("clients", {}).values():
            assert set(client["initializationOptions"]) <= known
