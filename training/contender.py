"""A model as it is compared with others: a GGUF file, and how it is asked."""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lsp_server.backends.base import OnProgress
from lsp_server.backends.llama_cpp import LlamaCppBackend
from lsp_server.completion.fim import FORMATS, FimFormat
from lsp_server.engine.handoff import pull
from lsp_server.engine.identification import identity_of
from lsp_server.engine.job import Prepared
from lsp_server.engine.loading import GivesUp, gguf_path
from lsp_server.models import gguf
from lsp_server.models.registry import resolve
from lsp_server.models.tokenizer import GgufTokenizer
from lsp_server.settings import Settings


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

    @cached_property
    def path(self) -> Path:
        """Its file, fetched if it is one of the registry's and not there yet."""
        return gguf_path(resolve(self.model), lambda _share: None, lambda: False)

    @cached_property
    def format(self) -> FimFormat:
        """How it is asked."""
        if self.form:
            return FORMATS[self.form]
        return identity_of(resolve(self.model), Settings(), GgufTokenizer(gguf.read(self.path))).form

    @cached_property
    def identity(self) -> str:
        """What its answers depend on, beside the code: the weights and the format."""
        with self.path.open("rb") as file:
            return f"{hashlib.file_digest(file, 'sha256').hexdigest()[:16]} {self.format.name}"

    def backend(self, settings: Settings, _show: OnProgress, _gives_up: GivesUp) -> Prepared:
        """Its backend, as the server makes it, with the format that is to be tried."""
        header = gguf.read(self.path)
        tokenizer = GgufTokenizer(header)
        backend = LlamaCppBackend(self.path, tokenizer, settings, pull, header.context_tokens)
        return Prepared(backend, self.format)
