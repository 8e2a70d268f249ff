"""The whole journey of a completion, in one function."""

from __future__ import annotations

from typing import Protocol

from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Completion
from lsp_server.completion.trigger import Ask
from lsp_server.settings import Settings


class Completions(Protocol):
    """What ``lsp/`` and the command line ask of a completer."""

    settings: Settings
