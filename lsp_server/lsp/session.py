"""One client's server: its documents, its settings, its completer."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import FeatureRequestError
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from lsp_server import __version__
from lsp_server.lsp import convert
from lsp_server.lsp.client import Client
from lsp_server.lsp.discretion import trace_without_values
from lsp_server.lsp.options import Layers, resolve
from lsp_server.lsp.protocol import UNANSWERED, SafeProtocol
from lsp_server.lsp.status import StatusReporter
from lsp_server.lsp.transports import is_alive
from lsp_server.settings import SECTION

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from lsp_server.completer import Completer
    from lsp_server.completion.document import Snapshot

logger = logging.getLogger(__name__)


class FimServer(LanguageServer):
    """Serves one client.

    Args:
        completer: this client's own.
        layers: what is said of settings outside the editor.

    Attributes:
        client: what the client can do, once it said so in ``initialize``.
        parent: the editor's process; None if it is not named, or not to be seen from here, as
            from inside a container.
    """

    protocol: SafeProtocol

    def __init__(self, completer: Completer, layers: Layers) -> None:
        super().__init__("fim-ls", __version__, protocol_cls=SafeProtocol, max_workers=1)
        self.completer = completer
        self.client = Client()
        self.parent: int | None = None
        self.status = StatusReporter(self)
        self._layers = layers
        self._initial: Any = None
        self._configured: Any = None
        self._told_problems: set[str] = set()
        self._too_large: set[str] = set()
        self._background: set[asyncio.Task[None]] = set()

    def meet(self, params: types.InitializeParams) -> None:
        """Take in what the client said of itself and of its settings."""
        self.client = Client.of(params, self.workspace.position_encoding or "utf-16")
        self.parent = params.process_id if is_alive(params.process_id) else None
        self._initial = params.initialization_options
        self.settle()

    def snapshot(self, uri: str, position: types.Position) -> Snapshot | None:
        """The cursor in an open document; None if it is not open, or too large to be looked at."""
        opened = self.protocol.documents.find(uri)
        if opened is None:
            return None
        if opened.is_too_large_at(position.line):
            if uri not in self._too_large:
                self._too_large.add(uri)
                logger.warning("No suggestions in %s: it is too large, or has very long lines", uri)
            return None
        return convert.snapshot(opened.document, position, self.client.dialect.encoding)

    def forget(self, uri: str) -> None:
        """A document was closed: stop and drop what belongs to it."""
        self._too_large.discard(uri)
        self.completer.forget(uri)

    def take_settings(self, said: object) -> None:
        """Let what the editor says of settings hold from now on, in place of what it said before."""
        self._configured = said
        self.settle()

    async def fetch_settings(self) -> None:
        """Ask the editor for its settings, if it answers such questions."""
        if not self.client.configuration:
            return
        params = types.ConfigurationParams([types.ConfigurationItem(section=SECTION)])
        try:
            answer = await self.protocol.request(types.WORKSPACE_CONFIGURATION, params)
        except UNANSWERED as error:
            logger.info("The editor did not tell its settings: %s", type(error).__name__)
        else:
            if answer and answer[0] is not None:  # nothing said leaves what was pushed meanwhile
                self.take_settings(answer[0])

    def toggle(self) -> bool:
        """Switch suggestions off or on for this session; whether they are on now."""
        # The last word, over the command line too; only the project's own file may still say no.
        above = {**self._layers.command_line, "enabled": not self.completer.settings.enabled}
        self._layers = Layers(self._layers.user, above)
        self.settle()
        return self.completer.settings.enabled

    def settle(self) -> None:
        """Put together what is said of settings, let it hold, and tell each problem once."""
        settings, problems = resolve(self._layers, self._initial, self._configured, root=self.root)
        if settings != self.completer.settings:
            self.completer.configure(settings)
            self.status.works_again()
            self.status.tell(self.completer.status)
        for problem in problems:
            if problem.message not in self._told_problems:
                self._told_problems.add(problem.message)
                self.show(problem.message, types.MessageType.Warning)

    @property
    def root(self) -> Path | None:
        """The folder of the opened project, None if there is none on this machine."""
        folders = tuple(self.workspace.folders.values())
        path = self.workspace.root_path or (to_fs_path(folders[0].uri) if folders else None)
        return None if path is None else Path(path)

    @property
    def answers_completion(self) -> bool:
        """Whether ``textDocument/completion`` is answered too."""
        fallback = self.completer.settings.completion_fallback
        return fallback == "on" or (fallback == "auto" and not self.client.inline_completion)

    async def register(self, method: str, options: Any = None) -> None:
        """Ask the client to send something that it was not told of in the answer to ``initialize``."""
        registration = types.RegistrationParams([types.Registration(method, method, options)])
        with suppress(*UNANSWERED):
            await self.protocol.request(types.CLIENT_REGISTER_CAPABILITY, registration)

    def show(self, sentence: str, kind: types.MessageType) -> None:
        """Show one sentence to the user."""
        self.window_show_message(types.ShowMessageParams(kind, sentence))

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for, until it is done or the client leaves."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def close(self) -> None:
        """Stop all work for this client."""
        self.status.stop()
        for task in tuple(self._background):
            task.cancel()
        self.protocol.cancel_all()
        await self.completer.stop()

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log where a handler failed; never a dialog, and never what it worked on."""
        if source is not FeatureRequestError:  # that one is in the reply, and pygls has logged it
            logger.error("%s%s", source.__name__, trace_without_values(sys.exception() or error))
