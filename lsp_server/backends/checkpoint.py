"""A checkpoint of the transformers library: fetch it, load it, and say in one sentence why that failed.

Only safetensors are read unless the user allows more, and only local files are loaded: what is on the hub is
fetched first, because the library would otherwise ask a service on the hub to convert pickled weights, and
look for adapters there.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsp_server.backends.gpt2_tokenizers import CODEGEN2, CODEGEN25, build
from lsp_server.backends.load_errors import name_of, translated, without_weights
from lsp_server.backends.own_code import is_codegen2, is_codegen25, read_json, refuse_foreign_class
from lsp_server.backends.placement import loading_arguments
from lsp_server.completion.fim import Tokenizer
from lsp_server.errors import DownloadError, ModelDamagedError, ModelLoadError
from lsp_server.settings import Settings

SMALL_FILES = ("*.json", "*.model", "*.txt")
"""What is fetched of a repository besides its weights; its code comes on top with ``trustRemoteCode``."""
SAFE_WEIGHTS, PICKLED_WEIGHTS = "*.safetensors", "*.bin"
_NOT_KEPT = frozenset({errno.EACCES, errno.EDQUOT, errno.ENOSPC, errno.EPERM, errno.EROFS})
_GPT2 = "openai-community/gpt2"
"""Has the pieces that CodeGen2.5 builds on and does not ship."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GgufWeights:
    """A checkpoint whose weights are in a GGUF file.

    Attributes:
        path: the file.
        adapter: the folder of an adapter that is merged into the weights in memory; None for none.
        tokenizer: of the file, which transformers would only come near to.
        pieces: spelling of each piece that a text may give, byte-level, by id; empty for all others.
    """

    path: Path
    adapter: Path | None
    tokenizer: Tokenizer
    pieces: Sequence[str]


def fetch(source: str, settings: Settings) -> Path:
    """The directory of a checkpoint with all that it takes to load it, fetched if the hub's cache lacks it.

    Raises:
        ModelError: it cannot be had, or the libraries that fetch it are not installed.
    """
    _silence()
    _fetched(source, "*.json", settings)
    directory = _fetched_weights(source, settings)
    readable = (SAFE_WEIGHTS, PICKLED_WEIGHTS) if settings.allow_pickle else (SAFE_WEIGHTS,)
    if not any(_is_whole(directory, weights) for weights in readable):
        raise ModelDamagedError(without_weights(name_of(source)))
    return directory


def is_fetched(source: str) -> bool:
    """Whether all weights of a hub model are in the hub's cache; no network is asked."""
    try:
        found = _snapshot(source, [*SMALL_FILES, SAFE_WEIGHTS], local_files_only=True)
    except (ImportError, OSError, ValueError):
        return False
    return _is_whole(found, SAFE_WEIGHTS)


def load_tokenizer(source: str, settings: Settings) -> Any:
    """The tokenizer of a directory or a hub name; no weights are fetched.

    Raises:
        ModelError: one sentence says why it cannot be used.
    """
    _silence()
    directory = _fetched(source, "*.json", settings)
    try:
        return _tokenizer(directory, settings)
    except Exception as error:
        raise translated(error, source, "tokenizer") from error


def load_model(source: str, settings: Settings) -> Any:
    """The model of a directory or a hub name, on its device.

    Raises:
        ModelError: one sentence says why it cannot be used.
    """
    _silence()
    arguments = loading_arguments(settings)
    directory = _fetched_weights(source, settings)
    if not settings.trust_remote_code:
        refuse_foreign_class(directory, name_of(source))
    try:
        return _model(directory, settings, arguments)
    except Exception as error:
        raise translated(error, source, "weights") from error


def load_gguf(weights: GgufWeights, settings: Settings) -> Any:
    """The model of a GGUF file with its adapter, on its device.

    Raises:
        ModelError: one sentence says why it cannot be used.
    """
    _silence()
    arguments = loading_arguments(settings)
    name = weights.path.name
    if "quantization_config" in arguments:
        message = f"The weights in {name} are quantised already; choose another dtype than {settings.dtype}."
        raise ModelLoadError(message)
    try:
        return _model_of_gguf(weights, arguments)
    except Exception as error:
        raise translated(error, name, "weights") from error


def _silence() -> None:
    """Keep the libraries' progress bars and reports to themselves; ours go to the editor."""
    try:
        import torch  # noqa: F401 - both are needed
        from huggingface_hub.utils.tqdm import disable_progress_bars
        from transformers.utils import logging
    except ImportError as error:
        message = f"A checkpoint needs the transformers extra ({error}): pip install 'fim-ls[transformers]'."
        raise ModelLoadError(message) from error
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    disable_progress_bars()


def _fetched(source: str, needed: str, settings: Settings) -> Path:
    """The directory of a checkpoint; from the hub only if the hub's cache lacks the files that are needed."""
    if Path(source).is_dir():
        return Path(source)
    wanted = [*SMALL_FILES, needed, *(["*.py"] if settings.trust_remote_code else [])]
    for local_files_only in (True, False):
        try:
            found = _snapshot(source, wanted, local_files_only=local_files_only)
        except Exception as error:  # of whichever network library is installed
            failure = error
        else:
            if not local_files_only or _is_whole(found, needed):
                return found
    logger.debug("fetching failed", exc_info=failure)
    why = "no network, no such model, or no access to it"
    if isinstance(failure, OSError) and failure.errno in _NOT_KEPT:
        why = f"its cache cannot be written to ({failure.strerror})"
    message = f"{source} could not be fetched from the hub: {why}."
    raise DownloadError(message) from failure


def _snapshot(source: str, wanted: list[str], *, local_files_only: bool) -> Path:
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            source, allow_patterns=wanted, ignore_patterns="*/*", local_files_only=local_files_only
        )
    )


def _is_whole(directory: Path, needed: str) -> bool:
    """Whether the files are there that are needed: of weights in parts all those that their index names."""
    maps = [read_json(index).get("weight_map") for index in directory.glob(f"{needed}.index.json")]
    parts = {str(part) for each in maps if isinstance(each, dict) for part in each.values()}
    return any(directory.glob(needed)) and all((directory / part).is_file() for part in parts)


def _fetched_weights(source: str, settings: Settings) -> Path:
    directory = _fetched(source, SAFE_WEIGHTS, settings)
    if any(directory.glob(SAFE_WEIGHTS)) or not settings.allow_pickle:
        return directory
    return _fetched(source, PICKLED_WEIGHTS, settings)


def _tokenizer(directory: Path, settings: Settings) -> Any:
    from transformers import AutoTokenizer

    if is_codegen25(directory):
        return build(directory, CODEGEN25, _gpt2_pieces(directory, settings))
    if is_codegen2(directory) and not (directory / "tokenizer.json").is_file():
        return build(directory, CODEGEN2, directory)
    return AutoTokenizer.from_pretrained(
        directory, local_files_only=True, trust_remote_code=settings.trust_remote_code
    )


def _gpt2_pieces(directory: Path, settings: Settings) -> Path:
    if (directory / "vocab.json").is_file() and (directory / "merges.txt").is_file():
        return directory
    try:
        return _fetched(_GPT2, "merges.txt", settings)
    except DownloadError as error:
        message = (
            f"The model {directory.resolve().name} is written with the pieces of {_GPT2}, which could not be "
            "fetched; put its vocab.json and merges.txt beside the model's own files."
        )
        raise DownloadError(message) from error


def _model(directory: Path, settings: Settings, arguments: dict[str, Any]) -> Any:
    from transformers import AutoModelForCausalLM

    options = {
        "local_files_only": True,
        "use_safetensors": None if settings.allow_pickle else True,
        "output_loading_info": True,
        **arguments,
    }
    if is_codegen2(directory):
        return _codegen2(directory, options)
    options["trust_remote_code"] = settings.trust_remote_code
    return _complete(*AutoModelForCausalLM.from_pretrained(directory, **options))


def _codegen2(directory: Path, options: dict[str, Any]) -> Any:
    from lsp_server.backends.codegen2 import CodeGen2ForCausalLM, check_reordered

    model = _complete(*CodeGen2ForCausalLM.from_pretrained(directory, **options))
    check_reordered(model)
    return model


def _complete(model: Any, findings: Mapping[str, Any]) -> Any:
    if missing := findings["missing_keys"]:
        message = f"The model's weights are incomplete: {len(missing)} of its tensors are missing."
        raise ModelDamagedError(message)
    return model


def _model_of_gguf(weights: GgufWeights, arguments: dict[str, Any]) -> Any:
    from transformers import AutoModelForCausalLM, modeling_gguf_pytorch_utils
    from transformers.utils import logging as its_logging

    # The one progress bar of the library that its own switch, which we turned off, does not reach.
    modeling_gguf_pytorch_utils.tqdm = its_logging.tqdm
    model = AutoModelForCausalLM.from_pretrained(
        weights.path.parent, gguf_file=weights.path.name, local_files_only=True, **arguments
    )
    if weights.adapter is None:
        return model
    from peft import PeftModel

    return PeftModel.from_pretrained(model, weights.adapter).merge_and_unload()
