"""A typed client from another project's hands: pygls' own, driven by pytest-lsp."""

import json
import sys

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

URI = "file:///project/shapes.py"
DRAFT = "def add(a, b):\n    return \n\n\nprint(add(1, 2))\n"
SERVE = [sys.executable, "-m", "lsp_server", "serve", "--stdio"]
CLIENTS = ["visual-studio-code", "neovim", "emacs"]


async def begin(client, name):
    # pytest-lsp leaves out one request that the clients it describes do answer.
    client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda _params: None)
    capabilities = client_capabilities(name)
    capabilities.text_document.inline_completion = types.InlineCompletionClientCapabilities()
    await client.initialize_session(
        types.InitializeParams(capabilities=capabilities, root_uri="file:///project")
    )
    item = types.TextDocumentItem(URI, "python", 1, DRAFT)
    client.text_document_did_open(types.DidOpenTextDocumentParams(item))


@pytest_lsp.fixture(
    params=CLIENTS,
    config=ClientServerConfig(
        server_command=[*SERVE, "--backend", "echo"],
        server_env={"FIM_LS_ECHO": json.dumps({"text": "a + b"})},
    ),
)
async def echoing(lsp_client: LanguageClient, request):
    await begin(lsp_client, request.param)
    yield
    await lsp_client.shutdown_session()


@pytest_lsp.fixture(config=ClientServerConfig(server_command=SERVE))
async def thinking(lsp_client: LanguageClient, embedded_gguf):
    await begin(lsp_client, "visual-studio-code")
    yield
    await lsp_client.shutdown_session()


async def ghost_text(client):
    answer = await client.text_document_inline_completion_async(
        types.InlineCompletionParams(
            types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked),
            types.TextDocumentIdentifier(URI),
            types.Position(1, 11),
        )
    )
    return answer.items


async def test_the_clients_that_pytest_lsp_knows_get_ghost_text(echoing):
    (item,) = await ghost_text(echoing)
    assert item.insert_text == "a + b"
    assert item.range == types.Range(types.Position(1, 11), types.Position(1, 11))
    assert item.command.command == "fim-ls.accepted"


@pytest.mark.model
async def test_the_embedded_model_gives_ghost_text(thinking):
    items = await ghost_text(thinking)
    assert items[0].insert_text == "a + b"
