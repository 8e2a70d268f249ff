"""Why a checkpoint could not be loaded, in one sentence."""

from __future__ import annotations

from pathlib import Path

from lsp_server.errors import ModelDamagedError, ModelError, ModelLoadError

_NO_ROOM = "does not fit into memory; take a smaller model or dtype"
_UNKNOWN = "has an architecture that the installed transformers library does not know"
_NO_FOLDER = "has no room on the devices; set offloadFolder to keep the rest of it on the disk"
_UNFIT = "has weights that are cut short or do not fit its configuration"
_SIGNS: tuple[tuple[str, type[ModelError], str], ...] = (
    ("trust_remote_code", ModelLoadError, "runs code of its own, for which trustRemoteCode must be set"),
    ("does not recognize this architecture", ModelLoadError, _UNKNOWN),
    ("Unrecognized model", ModelLoadError, _UNKNOWN),
    ("offload_folder", ModelLoadError, _NO_FOLDER),
    ("offload_dir", ModelLoadError, _NO_FOLDER),
    ("out of memory", ModelLoadError, _NO_ROOM),
    ("allocate memory", ModelLoadError, _NO_ROOM),
    ("SafetensorError", ModelDamagedError, _UNFIT),
    ("mismatched_sizes", ModelDamagedError, _UNFIT),
)
"""What a library's error holds, in order, and what it means for a model."""


def translated(error: Exception, source: str, part: str) -> ModelError:
    """A library's error as ours; ``part`` is what was being loaded, ``tokenizer`` or ``weights``."""
    if isinstance(error, ModelError):
        return error
    name = name_of(source)
    said = f"{type(error).__name__}: {error}"
    for sign, kind, sentence in _SIGNS:
        if sign in said:
            return kind(f"The model {name} {sentence}.")
    if isinstance(error, ImportError):
        return ModelLoadError(f"The model {name} needs a library that is missing: {_first_line(error)}")
    if part == "tokenizer":
        return ModelDamagedError(f"The model {name} has no configuration or no tokenizer that can be read.")
    if isinstance(error, OSError):
        return ModelDamagedError(without_weights(name))
    return ModelLoadError(f"The model {name} could not be loaded: {_first_line(error)}")


def without_weights(name: str) -> str:
    """The sentence that says that a model has no weights for us."""
    sentence = "has no weights (safetensors) that can be read; pickled ones are read if allowPickle is set"
    return f"The model {name} {sentence}."


def name_of(source: str) -> str:
    """What people call a model that is a directory or a hub name."""
    return Path(source).resolve().name if Path(source).is_dir() else source


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
