"""The least that a pygls server can be: what the start of ours is measured against."""

import sys

from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("bare", "1")


@server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
async def nothing(_server: LanguageServer, _params: types.InlineCompletionParams) -> None:
    return None


server.start_io(sys.stdin.buffer, sys.stdout.buffer)
