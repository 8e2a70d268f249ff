"""From the settings to a backend: which one it is, and the files it needs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lsp_server.backends import ik_llama
from lsp_server.backends.base import Backend, OnProgress
from lsp_server.backends.checkpoint import GgufWeights, is_fetched
from lsp_server.backends.echo import EchoBackend
from lsp_server.backends.hf_tokenizer import is_cached
from lsp_server.backends.llama_cpp import LlamaCppBackend, finds_accelerator
from lsp_server.backends.openai import OpenAiBackend
from lsp_server.backends.room import find_room
from lsp_server.backends.transformers import TransformersBackend
from lsp_server.completion.fim import FORMATS, Tokenizer
from lsp_server.completion.instruct import INSTRUCT_FORMATS
from lsp_server.engine.fallback import FirstThatLoads
from lsp_server.engine.handoff import pull
from lsp_server.engine.identification import (
    identity_of,
    identity_of_served,
    settle,
    settle_served,
)
from lsp_server.engine.job import Prepared
from lsp_server.errors import ModelLoadError
from lsp_server.models import embedded, gguf
from lsp_server.models.architectures import read_config
from lsp_server.models.catalogue import licence_notice
from lsp_server.models.fitting import Wish, refuse_what_cannot_fit
from lsp_server.models.identity import Identity
from lsp_server.models.registry import ModelSource, resolve
from lsp_server.models.tokenizer import GgufTokenizer
from lsp_server.settings import Settings

logger = logging.getLogger(__name__)

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
        name = _gguf_backend(settings) if kind == "gguf" else "transformers"
    return name


def _gguf_backend(settings: Settings) -> str:
    """The faster one on a plain CPU, if it runs here; llama.cpp's own knows accelerators."""
    is_plain = settings.device == "cpu" or (settings.device == "auto" and not finds_accelerator())
    return "ik_llama" if is_plain and ik_llama.runs_here() else "llama_cpp"


def make_backend(settings: Settings, on_progress: OnProgress, gives_up: GivesUp) -> Prepared:
    """The backend of the settings, not yet loaded, and the prompt formats of its model.

    Raises:
        UnknownModelError: there is no such model.
        ModelError: its files cannot be had, or are of another kind than the backend runs.
    """
    name = choose_backend(settings)
    if name == "echo":
        echo = EchoBackend()
        return Prepared(echo, FORMATS["causal"], INSTRUCT_FORMATS["alpaca"] if echo.is_instructed else None)
    if name == "openai":
        return Prepared(OpenAiBackend(settings), FORMATS["causal"], settle=partial(settle_served, settings))
    source = resolve(settings.model)
    backend: Backend
    if name == "transformers":
        refuse_what_has_no_room(source, settings)
        backend = TransformersBackend(_checkpoint(source, on_progress, gives_up), settings)
    else:
        backend = _of_gguf(gguf_path(source, on_progress, gives_up), name, settings)
    return Prepared(
        backend, FORMATS["causal"], notice=_notice(source), settle=partial(settle, source, settings)
    )


def _of_gguf(path: Path, name: str, settings: Settings) -> Backend:
    """What runs a GGUF file; llama.cpp itself stands by for what its fork cannot load or reads wrongly."""
    header = gguf.read(path)
    tokenizer, longest = GgufTokenizer(header), header.context_tokens
    llama_cpp = LlamaCppBackend(path, tokenizer, settings, pull, longest)
    if name == "llama_cpp":
        return llama_cpp
    faster = ik_llama.IkLlamaBackend(path, tokenizer, settings, longest, header.tensor_types)
    return faster if settings.backend == name else FirstThatLoads(faster, llama_cpp)


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
    return _wanted(path, source)


def _checkpoint(source: ModelSource, on_progress: OnProgress, gives_up: GivesUp) -> str | Path | GgufWeights:
    """What transformers loads a model from: of the GGUF files only ours, whose parts are known to fit.

    Raises:
        ModelError: it is another GGUF file, could not be fetched, or is no longer wanted.
    """
    if source.kind != "gguf":
        return source.path or source.name
    if source.entry is None:
        message = f"{source.name} is a GGUF file, which the llama_cpp backend runs."
        raise ModelLoadError(message)
    path = _wanted(embedded.fetch_base(source.entry, on_progress, gives_up), source)
    tokenizer, adapter = GgufTokenizer(gguf.read(path)), source.entry.adapter
    return GgufWeights(path, adapter.path if adapter else None, tokenizer, tokenizer.text_pieces)


def refuse_what_has_no_room(source: ModelSource, settings: Settings) -> None:
    """Refuse a checkpoint that cannot fit into memory, before any of its weights is fetched or read.

    Raises:
        ModelLoadError: it cannot fit, or this machine lacks what the settings ask for.
    """
    room = find_room(settings) if source.kind != "gguf" else None
    if room is None:
        return
    on_cpu = list(room.free) == ["cpu"]
    context_tokens = settings.prompt_tokens("cpu" if on_cpu else "cuda") + settings.max_new_tokens
    wish = Wish(source.name, room.dtype, context_tokens, read_config(source.path) if source.path else None)
    refuse_what_cannot_fit(wish, room.free, room.dtypes)


def _notice(source: ModelSource) -> str:
    """The licence of a model of the hub that is about to be fetched; empty where nothing is."""
    if source.kind != "hub" or is_fetched(source.name):
        return ""
    sentence = licence_notice(source.name)
    logger.info("%s", sentence)
    return sentence


def _wanted(path: Path | None, source: ModelSource) -> Path:
    if path is None:
        message = f"Fetching {source.name} was given up."
        raise ModelLoadError(message)
    return path


def tokenizer_of(settings: Settings) -> Tokenizer | None:
    """The tokenizer of the model, without its weights; None where only an engine has one.

    A hub model's is looked for on this machine alone.

    Raises:
        UnknownModelError: there is no such model.
        ModelError: its files cannot be had or read.
    """
    if choose_backend(settings) in ("echo", "openai"):
        return None
    source = resolve(settings.model)
    if source.kind == "gguf":
        return GgufTokenizer(gguf.read(gguf_path(source, lambda _share: None, lambda: False)))
    if source.kind == "hub" and not is_cached(source.name):
        return None
    return TransformersBackend(source.path or source.name, settings).tokenizer()


def tokenizer_and_identity(settings: Settings) -> tuple[Tokenizer | None, Identity | None]:
    """What a prompt depends on, without loading any weights; there is no identity of what echoes.

    Raises:
        UnknownModelError: there is no such model.
        ModelError: its files cannot be had or read.
    """
    backend, tokenizer = choose_backend(settings), tokenizer_of(settings)
    if backend == "echo":
        return tokenizer, None
    if backend == "openai":
        return tokenizer, identity_of_served(settings.openai.model or "the model of the engine", settings)
    return tokenizer, identity_of(resolve(settings.model), settings, tokenizer)
