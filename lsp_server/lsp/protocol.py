"""pygls made safe: exactly one reply to each request, whatever comes over the wire.

This subclasses names of pygls that are not public, hence its narrow pin; ``tests/lsp/test_pygls_traps.py``
fails when they move.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import json
import logging
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
    JsonRpcParseError,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import JsonRPCProtocol, LanguageServerProtocol, lsp_method

from lsp_server.lsp.documents import OpenDocuments

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Future

    from pygls.protocol.json_rpc import MessageCallback, MessageHandler, MsgId

logger = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 5.0
"""How long a client may take to answer a request of ours; some never do."""

UNANSWERED = (TimeoutError, JsonRpcException)
"""How a question to the client can end without an answer."""

Message = dict[str, Any]
T = TypeVar("T")


class SafeProtocol(LanguageServerProtocol):
    """One client's side of the conversation.

    Attributes:
        documents: what the client has open.
        exit_code: the process's exit code once the client said ``exit``, None before.
        command_token: what the client draws the progress of its last command under, if it does; to be
            read before the first ``await``.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.documents = OpenDocuments()
        self.exit_code: int | None = None
        self.command_token: int | str | None = None

    @property
    def was_shut_down(self) -> bool:
        """Whether the client said ``shutdown``."""
        return self._shutdown

    def receive(self, body: bytes) -> None:
        """Handle one message as it came; whatever it is, the conversation goes on."""
        logger.debug("from the client: %r", body)
        try:
            message = _parsed(body)
        except JsonRpcException as error:
            logger.warning("A message is not JSON-RPC: %s", error.message)
            self._refuse(None, error)
            return
        if "method" not in message:
            self._take_answer(message)
        elif "id" in message:
            self._take_request(message)
        else:
            self._take_notification(message)

    def structured(self, value: Any, kind: type[T]) -> T:
        """A value that came untyped, as arguments of commands do, in one of lsprotocol's types.

        Raises:
            ValueError: it is not of this type.
        """
        try:
            return self._converter.structure(value, kind)
        except Exception as error:  # cattrs raises whatever a validator raised
            message = f"not a {kind.__name__}"
            raise ValueError(message) from error

    async def request(self, method: str, params: Any) -> Any:
        """Ask the client something and return its answer, in lsprotocol's types.

        Raises:
            TimeoutError: it did not answer in time.
            JsonRpcException: it answered with an error.
        """
        msg_id = str(uuid.uuid4())
        try:
            return await asyncio.wait_for(self.send_request_async(method, params, msg_id), ANSWER_TIMEOUT_S)
        finally:
            self._request_futures.pop(msg_id, None)
            self._result_types.pop(msg_id, None)

    def cancel_all(self, except_for: MsgId | None = None) -> None:
        """Cancel everything that is still being worked on or waited for."""
        for msg_id, future in tuple(self._request_futures.items()):
            if msg_id != except_for:
                future.cancel()

    def _take_request(self, message: Message) -> None:
        method = message["method"]
        try:
            self._check_order(method)
            if not self._knows(method):
                raise JsonRpcMethodNotFound.of(method)
            self._run(partial(self._handle_request, message["id"], method, self._params(message)))
        except JsonRpcException as error:
            self._refuse(message["id"], error)

    def _take_notification(self, message: Message) -> None:
        method = message["method"]
        is_in_order = method == types.EXIT or (self._workspace is not None and not self._shutdown)
        if not is_in_order or not (self._knows(method) or method == types.CANCEL_REQUEST):
            return
        try:
            self._run(partial(self._handle_notification, method, self._params(message)))
        except JsonRpcException:
            logger.warning("The client sent %s with parameters that are not valid", method)
            self._lose_track(message)

    def _take_answer(self, message: Message) -> None:
        future: Any = self._request_futures.get(message.get("id", ""))
        if future is None or isinstance(future, asyncio.Future) or future.done():
            return  # to a request that was given up, or never made
        try:
            self.handle_message(self.structure_message(message))
        except JsonRpcException as error:
            future.set_exception(error)

    def _run(self, handle: Callable[[], None]) -> None:
        """Handle a message in a context of its own, which holds its id.

        pygls' ``handle_message`` finds out first what kind of message it is, which takes longer with each key
        than many a handler, and which is known here.
        """
        contextvars.copy_context().run(handle)

    def _check_order(self, method: str) -> None:
        if self._shutdown:
            raise JsonRpcInvalidRequest("The server was shut down.")
        if method == types.INITIALIZE and self._workspace is not None:
            raise JsonRpcInvalidRequest("The server is initialized already.")
        if method != types.INITIALIZE and self._workspace is None:
            raise JsonRpcServerNotInitialized("The first request must be initialize.")

    def _knows(self, method: str) -> bool:
        return method in self.fm.builtin_features or method in self.fm.features

    def _params(self, message: Message) -> Any:
        """The parameters in lsprotocol's types; other dialects keep their plain ones."""
        method, params = message["method"], message.get("params")
        kind: Any = types.METHOD_TO_TYPES[method][2] if method in types.METHOD_TO_TYPES else None
        if kind is None:
            return params
        try:
            return self._converter.structure(params, kind)
        except Exception as error:  # cattrs raises whatever a validator raised
            message_without_values = f"The parameters of {method} are not valid."
            raise JsonRpcInvalidParams(message_without_values) from error

    def _lose_track(self, message: Message) -> None:
        """Close a document whose edit could not be read: no suggestion for a text known to be wrong."""
        if message["method"] == types.TEXT_DOCUMENT_DID_CHANGE:
            params = message.get("params")
            document = params.get("textDocument") if isinstance(params, dict) else None
            self.documents.close(str(document.get("uri")) if isinstance(document, dict) else "")

    def _refuse(self, msg_id: MsgId | None, error: JsonRpcException) -> None:
        reply = {"code": error.code, "message": error.message}
        self._send_data({"jsonrpc": self.VERSION, "id": msg_id, "error": reply})

    def _send_data(self, data: Any) -> None:
        logger.debug("to the client: %r", data)
        super()._send_data(data)

    def _execute_handler(
        self,
        msg_id: MsgId,
        handler: MessageHandler,
        callback: MessageCallback,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Run a handler and forget its future once it is done; pygls keeps one for each notification."""

        def done(future: Future[Any]) -> None:
            self._request_futures.pop(msg_id, None)
            callback(future)

        super()._execute_handler(msg_id, handler, done, args, kwargs)

    def _handle_cancel_notification(self, msg_id: MsgId) -> None:
        """Stop a request that is being worked on; one that is answered already is no news."""
        future: Any = self._request_futures.get(msg_id)
        if isinstance(future, asyncio.Future):
            future.cancel()

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[Any, Any, None]:
        """Stop all work, then let the handler of the server run."""
        self._shutdown = True
        self.cancel_all(except_for=self.msg_id)
        yield self.fm.features[types.SHUTDOWN], args, None

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_args: Any) -> Generator[Any, Any, None]:
        """Note that the conversation is over; whoever reads the messages ends it."""
        self.exit_code = 0 if self._shutdown else 1
        yield from ()

    # pygls has a generator there; what it runs handlers with takes coroutines as well.
    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]
        self, params: types.ExecuteCommandParams
    ) -> Any:
        """Run a command as its request's task; pygls' own way leaves a cancelled one unanswered."""
        command = self.fm.commands.get(params.command)
        if command is None:
            raise JsonRpcInvalidParams("There is no such command.")
        self.command_token = params.work_done_token
        result = command(*(params.arguments or ()))
        return await result if inspect.isawaitable(result) else result

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """Begin to follow a document."""
        self.documents.open(params.text_document, self.workspace.position_encoding or "utf-16")

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Follow the edits of a document, then run the handler of the server."""
        self.documents.change(params)
        if (handler := self.fm.features.get(types.TEXT_DOCUMENT_DID_CHANGE)) is not None:
            handler(params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(
        self, params: types.DidCloseTextDocumentParams
    ) -> Generator[Any, Any, None]:
        """Let go of a document, then let the handler of the server run."""
        self.documents.close(params.text_document.uri)
        yield from super().lsp_text_document__did_close(params)


def _parsed(body: bytes) -> Message:
    """The message in a body.

    Raises:
        JsonRpcException: it is not JSON, or not one request, notification or response.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise JsonRpcParseError from error
    if not isinstance(message, dict) or message.get("jsonrpc") != JsonRPCProtocol.VERSION:
        raise JsonRpcInvalidRequest
    if not isinstance(message.get("method", ""), str) or not _is_id(message.get("id", "")):
        raise JsonRpcInvalidRequest
    return message


def _is_id(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)
