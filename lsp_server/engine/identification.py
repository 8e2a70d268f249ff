"""How the model of the settings is asked: its files decide, or a probe where they prove nothing."""

from __future__ import annotations

from pathlib import Path

from lsp_server.backends.base import LoadedModel
from lsp_server.backends.hub import cached_directory
from lsp_server.completion.fim import FORMATS, Tokenizer
from lsp_server.engine.job import Ask
from lsp_server.engine.probe import find_format
from lsp_server.models import gguf
from lsp_server.models.facts import Facts, of_checkpoint, of_gguf
from lsp_server.models.identity import Identity, identify
from lsp_server.models.registry import ModelEntry, ModelSource
from lsp_server.models.verdicts import keep_verdict, kept_verdict, weights_of
from lsp_server.settings import Settings


def identity_of(source: ModelSource, settings: Settings, tokenizer: Tokenizer | None) -> Identity:
    """How a model is asked, as far as that is known without trying it now.

    Raises:
        ModelError: its files cannot be read.
    """
    if source.entry is not None and settings.fim_format == "auto":
        return _of_ours(source.entry)
    identity = identify(_facts(source), tokenizer, settings.fim_format)
    tried = [form.name for form in identity.to_try]
    verdict = kept_verdict(_files(source), tried) if tried else None
    if verdict is None:
        return identity
    return identity.decided(None if verdict == "causal" else FORMATS[verdict], source.name)


def settle(source: ModelSource, settings: Settings, loaded: LoadedModel, ask: Ask) -> Identity:
    """How a loaded model is asked; what had to be tried is not tried again."""
    identity = identity_of(source, settings, loaded.tokenizer)
    if not identity.to_try:
        return identity
    form = find_format(identity.to_try, loaded, ask)
    keep_verdict(_files(source), [each.name for each in identity.to_try], form.name if form else "causal")
    return identity.decided(form, source.name)


def settle_served(settings: Settings, loaded: LoadedModel, _ask: Ask) -> Identity:
    """How the model of an engine is asked, of which only the name is known."""
    return identity_of_served(loaded.name, settings)


def identity_of_served(name: str, settings: Settings) -> Identity:
    """How a model is asked that goes by a name at an engine over HTTP, which alone has its tokenizer."""
    return identify(Facts(name, name), None, settings.fim_format)


def _of_ours(entry: ModelEntry) -> Identity:
    sentence = f"{entry.name} is one of the models that come with fim-ls."
    return Identity(FORMATS[entry.fim_format], "name", sentence, entry.title)


def _facts(source: ModelSource) -> Facts:
    """What the files of a model say of it; of a hub model that was not fetched only its name is known."""
    if source.entry is not None:
        return Facts(source.name)
    if source.kind == "gguf" and source.path:
        return of_gguf(gguf.read(source.path))
    hub_name = source.name if source.kind == "hub" else ""
    directory = source.path or cached_directory(source.name)
    return of_checkpoint(directory, source.name, hub_name) if directory else Facts(source.name, hub_name)


def _files(source: ModelSource) -> list[Path]:
    place = source.path or cached_directory(source.name)
    return weights_of(place) if place else []
