"""The settings of the extension for VS Code are the server's own."""

import importlib.util
import json
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "editors" / "vscode"


def test_the_manifest_mirrors_the_settings_of_the_server():
    spec = importlib.util.spec_from_file_location("mirror_settings", FOLDER / "mirror_settings.py")
    mirror_settings = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mirror_settings)
    text = (FOLDER / "package.json").read_text(encoding="utf-8")
    assert mirror_settings.written(mirror_settings.mirrored(json.loads(text))) == text


def test_the_readme_names_every_setting_of_the_extension_itself():
    manifest = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    own = manifest["contributes"]["configuration"][1]["properties"]
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [key for key in own if f"`{key}`" not in readme] == []
