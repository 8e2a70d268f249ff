"""What can go wrong, drawn as a tree.

FimLsError
├── UserError                what was asked for cannot be: exit code 2, one sentence, no traceback
│   ├── DocumentError        no such file, not UTF-8, position outside the file, too large
│   ├── SettingsError        a setting or a configuration file that cannot be read
│   └── UnknownModelError    neither in the registry, nor a file, nor a directory, nor a hub name
├── ModelError               the model cannot be used until something is changed
│   ├── DownloadError        the weights could not be fetched or verified
│   ├── ModelDamagedError    the file is there but cut short, of another format, or lacks its tokenizer
│   └── ModelLoadError       the library refused to load it (missing extra, unsupported architecture)
└── BackendError             one generation failed; the next one may well succeed
    ├── OutOfMemoryError     the device ran out of memory; the backend is loaded anew
    ├── EngineHungError      no sign of life before the deadline; the backend is loaded anew
    └── EndpointError        the HTTP engine is down, slow, or answers something else

"Nothing to suggest", "superseded" and "cancelled" are values, not exceptions. Errors of foreign
libraries are translated at the border of ``backends/`` and ``models/`` and travel as these.
"""

from __future__ import annotations


class FimLsError(Exception):
    """Base of all errors of fim-ls; ``str(error)`` is one sentence for people."""


class UserError(FimLsError):
    """What was asked for cannot be done as asked; the sentence says what to change."""


class DocumentError(UserError):
    """The file or the position in it cannot be used."""


class SettingsError(UserError):
    """A setting has the wrong type or value, or a configuration file cannot be read."""


class UnknownModelError(UserError):
    """No model goes by this name."""


class ModelError(FimLsError):
    """The model cannot be used until something is changed."""


class DownloadError(ModelError):
    """The weights could not be fetched, or what came is not what was expected."""


class ModelDamagedError(ModelError):
    """The files of the model are incomplete or not of the format they claim."""


class ModelLoadError(ModelError):
    """The library that runs the model could not load it."""


class BackendError(FimLsError):
    """One generation failed; the next one may succeed."""


class OutOfMemoryError(BackendError):
    """The device ran out of memory during a generation."""


class EngineHungError(BackendError):
    """The backend gave no sign of life before its deadline."""


class EndpointError(BackendError):
    """The HTTP engine is unreachable, too slow, or answers something that is not a completion."""
