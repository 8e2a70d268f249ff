"""A checkpoint of the transformers library: fetch it, load it, and say in one sentence why that failed.

Only safetensors are read, and only local files are loaded: what is on the hub is fetched first, because the
library would otherwise ask a service on the hub to convert pickled weights, and look for adapters there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsp_server.backends.devices import QUANTIZED, choose_device, choose_dtype
from lsp_server.errors import DownloadError, ModelDamagedError, ModelError, ModelLoadError
from lsp_server.settings import Settings

SMALL_FILES = ("*.json", "*.model", "*.txt")
"""What is fetched of a repository besides its weights; its code comes on top with ``trustRemoteCode``."""


def load_tokenizer(source: str, settings: Settings) -> Any:
    """The tokenizer of a directory or a hub name; no weights are fetched.

    Raises:
        ModelError: one sentence says why it cannot be used.
    """
    _silence()
    from transformers import AutoTokenizer

    directory = _fetched(source, "*.json", settings)
    try:
        return AutoTokenizer.from_pretrained(
            directory, local_files_only=True, trust_remote_code=settings.trust_remote_code
        )
    except Exception as error:
        raise _translated(error, source, "tokenizer") from error


def load_model(source: str, settings: Settings) -> Any:
    """The model of a directory or a hub name, on its device.

    Raises:
        ModelError: one sentence says why it cannot be used.
    """
    _silence()
    arguments = loading_arguments(settings)
    directory = _fetched(source, "*.safetensors", settings)
    try:
        return _model(directory, settings, arguments)
    except Exception as error:
        raise _translated(error, source, "weights") from error


def loading_arguments(settings: Settings) -> dict[str, Any]:
    """Device and number format, as ``from_pretrained`` takes them.

    Raises:
        ModelLoadError: this machine lacks what the settings ask for.
    """
    import torch

    device = choose_device(settings.device, torch.cuda.is_available(), torch.backends.mps.is_available())
    bfloat16 = device.startswith("cuda") and torch.cuda.is_bf16_supported()
    dtype = choose_dtype(settings.dtype, device, bfloat16)
    arguments: dict[str, Any] = {"device_map": settings.device_map or {"": device}}
    if dtype not in QUANTIZED:
        return arguments | {"dtype": getattr(torch, dtype)}
    computed_in = getattr(torch, choose_dtype("auto", device, bfloat16))
    return arguments | {"dtype": computed_in, "quantization_config": _quantization(dtype, computed_in)}


def _quantization(dtype: str, computed_in: Any) -> Any:
    from transformers import BitsAndBytesConfig

    if dtype == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=computed_in
    )


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
    from huggingface_hub import snapshot_download

    wanted = [*SMALL_FILES, needed, *(["*.py"] if settings.trust_remote_code else [])]
    for local_files_only in (True, False):
        try:
            found = snapshot_download(
                source, allow_patterns=wanted, ignore_patterns="*/*", local_files_only=local_files_only
            )
        except (OSError, ValueError) as error:
            failure = error
        else:
            if not local_files_only or any(Path(found).glob(needed)):
                return Path(found)
    message = f"{source} could not be fetched from the hub: no network, no such model, or no access to it."
    raise DownloadError(message) from failure


def _model(directory: Path, settings: Settings, arguments: dict[str, Any]) -> Any:
    from transformers import AutoModelForCausalLM

    model, findings = AutoModelForCausalLM.from_pretrained(
        directory,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=settings.trust_remote_code,
        output_loading_info=True,
        **arguments,
    )
    if missing := findings["missing_keys"]:
        message = f"The model's weights are incomplete: {len(missing)} of its tensors are missing."
        raise ModelDamagedError(message)
    return model


_NO_ROOM = "does not fit into memory; take a smaller model or dtype"
_UNKNOWN = "has an architecture that the installed transformers library does not know"
_UNFIT = "has weights that are cut short or do not fit its configuration"
_SIGNS: tuple[tuple[str, type[ModelError], str], ...] = (
    ("trust_remote_code", ModelLoadError, "runs code of its own, for which trustRemoteCode must be set"),
    ("does not recognize this architecture", ModelLoadError, _UNKNOWN),
    ("Unrecognized model", ModelLoadError, _UNKNOWN),
    ("out of memory", ModelLoadError, _NO_ROOM),
    ("allocate memory", ModelLoadError, _NO_ROOM),
    ("SafetensorError", ModelDamagedError, _UNFIT),
    ("mismatched_sizes", ModelDamagedError, _UNFIT),
)
"""What a library's error holds, in order, and what it means for a model."""


def _translated(error: Exception, source: str, part: str) -> ModelError:
    """A library's error as ours; ``part`` is what was being loaded, ``tokenizer`` or ``weights``."""
    if isinstance(error, ModelError):
        return error
    name = Path(source).resolve().name if Path(source).is_dir() else source
    said = f"{type(error).__name__}: {error}"
    for sign, kind, sentence in _SIGNS:
        if sign in said:
            return kind(f"The model {name} {sentence}.")
    if isinstance(error, ImportError):
        return ModelLoadError(f"The model {name} needs a library that is missing: {_first_line(error)}")
    if part == "tokenizer":
        return ModelDamagedError(f"The model {name} has no configuration or no tokenizer that can be read.")
    if isinstance(error, OSError):
        return ModelDamagedError(f"The model {name} has no weights (safetensors) that can be read.")
    return ModelLoadError(f"The model {name} could not be loaded: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
