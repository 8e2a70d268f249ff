"""Makes the settings of the extension from those of the server: python editors/vscode/mirror_settings.py."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from lsp_server.declared import FORMAT_NAMES, SPECIAL_PIECE, DeclaredFormat
from lsp_server.settings import PROJECT_KEYS, SECTION, Settings, camel

MANIFEST = Path(__file__).with_name("package.json")

Schema = dict[str, Any]
"""What VS Code takes as the description of a setting."""


def mirrored(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with the server's settings as they are now."""
    suggestions, *own = manifest["contributes"]["configuration"]
    schemas = enumerate(_schemas(Settings()))
    properties = {f"{SECTION}.{key}": {**schema, "order": order} for order, (key, schema) in schemas}
    contributes = {
        **manifest["contributes"],
        "configuration": [{**suggestions, "properties": properties}, *own],
    }
    untrusted = {
        "supported": "limited",
        "description": "Settings of a folder that is not trusted do not count.",
        "restrictedConfigurations": [f"{SECTION}.{key}" for key in sorted(PROJECT_KEYS)],
    }
    capabilities = {**manifest["capabilities"], "untrustedWorkspaces": untrusted}
    return {**manifest, "capabilities": capabilities, "contributes": contributes}


def _schemas(settings: Any, above: str = "") -> Iterator[tuple[str, Schema]]:
    """Each setting's key and its description; tables are spelled out."""
    hints = get_type_hints(type(settings))
    for spec in dataclasses.fields(settings):
        key, default = above + camel(spec.name), getattr(settings, spec.name)
        if dataclasses.is_dataclass(default):
            yield from _schemas(default, f"{key}.")
        else:
            yield key, {**_type(hints[spec.name], spec.metadata), **_about(key, default, spec.metadata)}


def _about(key: str, default: Any, metadata: Mapping[str, Any]) -> Schema:
    """What is said of a setting beside its type."""
    unit = f" In {metadata['unit']}." if metadata["unit"] else ""
    # A folder that is opened may narrow what is suggested; it never names a model, a URL or a command.
    scope = "window" if key in PROJECT_KEYS else "machine"
    return {"default": default, "description": metadata["doc"] + unit, "scope": scope}


def _type(hint: Any, metadata: Mapping[str, Any]) -> Schema:
    """The JSON schema of what a setting takes."""
    if hint == str | DeclaredFormat:
        return _format()
    if hint is bool:
        return {"type": "boolean"}
    if hint is str:
        return {"type": "string"}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": {"type": "string"}}
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    return _number(hint, metadata)


def _number(hint: Any, metadata: Mapping[str, Any]) -> Schema:
    bounds = {"minimum": metadata["low"], "maximum": metadata["high"]}
    if hint in (int, float):
        return {"type": "integer" if hint is int else "number", **bounds}
    return {"type": ["integer", "string"], **bounds, "pattern": "^auto$"}


def _format() -> Schema:
    """A format's name, or a format that the user declares."""
    piece = {"type": "string", "pattern": f"^{SPECIAL_PIECE.pattern}$"}
    declared = {
        "prefix": piece,
        "suffix": piece,
        "middle": piece,
        "order": {"type": "string", "enum": ["psm", "spm"]},
        "stops": {"type": "array", "items": piece},
    }
    return {
        "anyOf": [
            {"type": "string", "enum": ["auto", *FORMAT_NAMES]},
            {
                "type": "object",
                "properties": declared,
                "required": ["prefix", "suffix"],
                "additionalProperties": False,
            },
        ]
    }


def written(manifest: Mapping[str, Any]) -> str:
    """The manifest as it stands in its file."""
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    MANIFEST.write_text(written(mirrored(json.loads(MANIFEST.read_text("utf-8")))), "utf-8")
