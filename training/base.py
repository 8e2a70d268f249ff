"""The model that is taught: the weights that the server itself fetches, as they stand in its GGUF file."""

from __future__ import annotations

from pathlib import Path

from lsp_server.errors import DownloadError
from lsp_server.models import embedded
from lsp_server.models.registry import REGISTRY
from lsp_server.settings import EMBEDDED_MODEL


def base_weights() -> Path:
    """The GGUF file that the embedded model is made of, fetched and verified.

    Raises:
        DownloadError: it could not be had, or not be stored.
    """
    path = embedded.fetch_base(REGISTRY[EMBEDDED_MODEL], lambda _share: None, lambda: False)
    if path is None:
        message = "The base model was not fetched."
        raise DownloadError(message)
    return path
