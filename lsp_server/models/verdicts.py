"""What probes found out about models, kept so that a model is tried once and not at every start.

A verdict goes by the paths, sizes and times of change of the model's files; a changed file is tried anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from lsp_server.models.embedded import models_dir

PROBE_VERSION = 1
"""Of the holes that models are tried with; what another version found does not count."""
_CHECKPOINT_FILES = ("*.json", "*.safetensors", "*.bin", "*.model")


def weights_of(path: Path) -> list[Path]:
    """The files that a model consists of, which is itself a file or a folder."""
    if path.is_file():
        return [path]
    return sorted(file for pattern in _CHECKPOINT_FILES for file in path.glob(pattern))


def kept_verdict(files: Iterable[Path], tried: Iterable[str]) -> str | None:
    """The format that a model passed in when it was tried with these; None if it was not tried yet."""
    try:
        said = json.loads(_place(files, tried).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    form = said.get("format") if isinstance(said, dict) else None
    return form if isinstance(form, str) and form in (*tried, "causal") else None


def keep_verdict(files: Iterable[Path], tried: Iterable[str], form: str) -> None:
    """Keep the format that a model passed in, ``causal`` for none; where that fails it is tried again."""
    with contextlib.suppress(OSError):
        place = _place(files, tried)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps({"format": form}), encoding="utf-8")


def _place(files: Iterable[Path], tried: Iterable[str]) -> Path:
    facts = [PROBE_VERSION, *tried]
    for file in files:
        found = file.stat()
        facts += [str(file.absolute()), found.st_size, found.st_mtime_ns]
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    return models_dir().parent / "probes" / f"{digest[:32]}.json"
