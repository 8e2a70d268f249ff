"""What of a hub model is on this machine; no network is asked."""

from __future__ import annotations

from pathlib import Path


def cached_directory(name: str) -> Path | None:
    """The folder of a hub model in the hub's cache, None if not even its configuration is there."""
    try:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(name, "config.json")
    except (ImportError, ValueError):
        return None
    return Path(found).parent if isinstance(found, str) else None
