"""Two backends for one model: the second one serves where the first cannot load it."""

from __future__ import annotations

import logging
from collections.abc import Generator

from lsp_server.backends.base import Backend, GenerationRequest, LoadedModel, OnProgress, Report
from lsp_server.errors import ModelLoadError

logger = logging.getLogger(__name__)


class FirstThatLoads:
    """The faster backend, or else the one that knows more models.

    Args:
        first: what is tried.
        second: what serves if that cannot load the model.

    Attributes:
        name: of the one that serves.
    """

    def __init__(self, first: Backend, second: Backend) -> None:
        self.name = first.name
        self._chosen = first
        self._second = second

    def load(self, on_progress: OnProgress) -> LoadedModel:
        """Load the model; see ``Backend.load``.

        Raises:
            ModelError: neither can load it; the sentence is the second one's.
        """
        try:
            return self._chosen.load(on_progress)
        except ModelLoadError as error:
            logger.warning("%s The backend %s is used instead.", error, self._second.name)
        self._chosen.close()
        self._chosen, self.name = self._second, self._second.name
        return self._chosen.load(on_progress)

    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        """Yield pieces of text; see ``Backend.generate``."""
        return self._chosen.generate(request, report)

    def close(self) -> None:
        """Release the model."""
        self._chosen.close()
