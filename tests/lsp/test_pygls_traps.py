"""The private names of pygls that lsp/ stands on, and the traps in it that lsp/ goes around.

When one of these fails after an update of pygls, look at lsp/protocol.py before widening the pin.
"""

import inspect

import pytest
from lsprotocol import types
from pygls import io_
from pygls.lsp.server import LanguageServer
from pygls.protocol import JsonRPCProtocol, LanguageServerProtocol

from lsp_server.lsp.protocol import SafeProtocol


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_execute_handler", ["self", "msg_id", "handler", "callback", "args", "kwargs"]),
        ("_handle_cancel_notification", ["self", "msg_id"]),
        ("_handle_notification", ["self", "method_name", "params"]),
        ("_handle_request", ["self", "msg_id", "method_name", "params"]),
        ("_send_data", ["self", "data"]),
        ("handle_message", ["self", "message"]),
        ("structure_message", ["self", "data"]),
        ("send_request_async", ["self", "method", "params", "msg_id"]),
        ("set_writer", ["self", "writer", "include_headers"]),
    ],
)
def test_the_methods_that_are_overridden_or_called_have_not_moved(name, parameters):
    assert list(inspect.signature(getattr(LanguageServerProtocol, name)).parameters) == parameters


def test_the_attributes_that_are_read_or_set_have_not_moved():
    protocol = LanguageServer("a test", "1").protocol
    for name in (
        "_request_futures",
        "_result_types",
        "_shutdown",
        "_workspace",
        "_converter",
        "fm",
        "progress",
    ):
        assert hasattr(protocol, name), name
    assert protocol._request_futures == {}
    assert protocol._shutdown is False
    assert protocol._workspace is None


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("lsp_shutdown", types.SHUTDOWN),
        ("lsp_exit", types.EXIT),
        ("lsp_workspace__execute_command", types.WORKSPACE_EXECUTE_COMMAND),
        ("lsp_text_document__did_open", types.TEXT_DOCUMENT_DID_OPEN),
        ("lsp_text_document__did_change", types.TEXT_DOCUMENT_DID_CHANGE),
        ("lsp_text_document__did_close", types.TEXT_DOCUMENT_DID_CLOSE),
    ],
)
def test_the_built_in_handlers_that_are_replaced_have_not_moved(name, method):
    assert getattr(LanguageServerProtocol, name).method_name == method
    assert getattr(SafeProtocol, name).method_name == method
    assert getattr(SafeProtocol, name) is not getattr(LanguageServerProtocol, name)


def test_standard_input_is_still_read_in_a_thread_of_the_server():
    assert list(inspect.signature(io_.StdinAsyncReader).parameters) == ["stdin", "executor"]


def test_pygls_still_logs_what_is_sent_so_it_must_be_kept_quiet():
    assert 'logger.info("Sending data: %s"' in inspect.getsource(JsonRPCProtocol._send_data)
