"""A model as it is compared with others: a GGUF file, and how it is asked."""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass
from typing import Literal

from lsp_server.completion.fim import FORMATS
from lsp_server.engine.loading import choose_backend, gguf_path
from lsp_server.models.registry import resolve
from lsp_server.settings import Settings

Backend = Literal["auto", "ik_llama", "llama_cpp"]
"""What runs a GGUF file; auto is what the server would choose."""


@dataclass(frozen=True)
class Contender:
    """A model as it is compared.

    Attributes:
        name: what it goes by in the table.
        model: its file, or its name in the registry.
        form: how it is asked; empty for what the registry says.
    """

    name: str
    model: str
    form: str

    @classmethod
    def from_argument(cls, argument: str) -> Contender:
        """The contender that NAME=MODEL[:FORMAT] means.

        Raises:
            argparse.ArgumentTypeError: it is not of this form.
        """
        name, _, model = argument.partition("=")
        head, _, form = model.rpartition(":")
        if not name or not model:
            message = f"{argument!r} is not of the form NAME=MODEL[:FORMAT]"
            raise argparse.ArgumentTypeError(message)
        return cls(name, head, form) if head and form in FORMATS else cls(name, model, "")

    def settings(self, backend: Backend = "auto") -> Settings:
        """What a user would set to be served by it."""
        return Settings(model=self.model, fim_format=self.form or "auto", backend=backend)

    def identity(self, backend: Backend = "auto") -> str:
        """What its answers depend on, beside the code: the weights, the format and the backend."""
        path = gguf_path(resolve(self.model), lambda _share: None, lambda: False)
        with path.open("rb") as file:
            weights = hashlib.file_digest(file, "sha256").hexdigest()[:16]
        return f"{weights} {self.form or 'its own'} {choose_backend(self.settings(backend))}"
