"""From the settings to a backend: which one it is, and the files it needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lsp_server.backends.base import Backend, OnProgress
from lsp_server.backends.echo import EchoBackend
from lsp_server.backends.llama_cpp import LlamaCppBackend
from lsp_server.backends.openai import OpenAiBackend
from lsp_server.backends.transformers import TransformersBackend
from lsp_server.completion.fim import FORMATS, FimFormat, Tokenizer
from lsp_server.engine.handoff import pull
from lsp_server.errors import ModelLoadError
from lsp_server.models import embedded, gguf
from lsp_server.models.registry import ModelSource, resolve
from lsp_server.models.tokenizer import GgufTokenizer
from lsp_server.settings import Settings

GivesUp = Callable[[], bool]
"""Whether the model is no longer wanted."""


def choose_backend(settings: Settings) -> str:
    """The backend that runs the model of the settings.

    Raises:
        UnknownModelError: there is no such model.
        ModelError: its files are not what they must be.
    """
    name: str = settings.backend
    if name == "auto" and settings.openai.base_url:
        name = "openai"
    if name in ("echo", "openai"):  # they have no files that could be looked at
        return name
    kind = resolve(settings.model).kind
    if name == "auto":
        name = "llama_cpp" if kind == "gguf" else "transformers"
    return name


def make_backend(settings: Settings, on_progress: OnProgress, gives_up: GivesUp) -> tuple[Backend, FimFormat]:
    """The backend of the settings, not yet loaded, and the prompt format of its model.

    Raises:
        UnknownModelError: there is no such model.
        ModelError: its files cannot be had, or are of another kind than the backend runs.
    """
    name = choose_backend(settings)
    if name == "echo":
        return EchoBackend(), FORMATS["causal"]
    if name == "openai":
        return OpenAiBackend(settings), FORMATS["causal"]
    source = resolve(settings.model)
    form = FORMATS[source.fim_format]
    if name == "transformers":
        if source.kind == "gguf":
            message = f"{source.name} is a GGUF file, which the llama_cpp backend runs."
            raise ModelLoadError(message)
        return TransformersBackend(source.path or source.name, settings), form
    path = gguf_path(source, on_progress, gives_up)
    header = gguf.read(path)
    return LlamaCppBackend(path, GgufTokenizer(header), settings, pull, header.context_tokens), form


def gguf_path(source: ModelSource, on_progress: OnProgress, gives_up: GivesUp) -> Path:
    """The GGUF file of a model, fetched if it is one of ours and not there yet.

    Raises:
        ModelError: it is none, could not be fetched, or is no longer wanted.
    """
    if source.kind != "gguf":
        message = f"{source.name} is a checkpoint, which the transformers backend runs."
        raise ModelLoadError(message)
    path = source.path
    if source.entry is not None:
        path = embedded.fetch(source.entry, on_progress, gives_up)
    if path is None:
        message = f"Fetching {source.name} was given up."
        raise ModelLoadError(message)
    return path


def tokenizer_and_format(settings: Settings) -> tuple[Tokenizer | None, FimFormat]:
    """What a prompt depends on, without loading any weights; no tokenizer where only the engine has one.

    Raises:
        UnknownModelError: there is no such model.
        ModelError: its files cannot be had or read.
    """
    if choose_backend(settings) in ("echo", "openai"):
        return None, FORMATS["causal"]
    source = resolve(settings.model)
    form = FORMATS[source.fim_format]
    if source.kind == "gguf":
        path = gguf_path(source, lambda _share: None, lambda: False)
        return GgufTokenizer(gguf.read(path)), form
    return TransformersBackend(source.path or source.name, settings).tokenizer(), form
