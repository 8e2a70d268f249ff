"""What is answered, one short function per method, and the table of them at the end."""
# Annotations are not postponed here: pygls looks at those of the commands at run time.

from typing import Any

from lsprotocol import types

from lsp_server.completion.item import Completion
from lsp_server.completion.trigger import Ask
from lsp_server.lsp import convert, instruct
from lsp_server.lsp.explain import explain
from lsp_server.lsp.options import concerns_us
from lsp_server.lsp.session import FimServer
from lsp_server.lsp.status import on_the_wire

COMPLETION_OPTIONS = types.CompletionOptions(trigger_characters=(".", "(", "[", "{", "=", ":", ","))
ANSWERED = frozenset({"stop", "length", "partial"})
"""Finish reasons of a model that did its work."""
UNANSWERED_REASONS = frozenset({"superseded", "cancelled", "failed"})
"""Finish reasons that say nothing of whether there is something to suggest."""


async def inline_completion(
    ls: FimServer, params: types.InlineCompletionParams
) -> types.InlineCompletionList | None:
    """Ghost text at the cursor; None for what is not open, too large, superseded or failed.

    Where there is nothing to suggest the list is empty: some editors keep old ghost text on a null.
    """
    snapshot = ls.snapshot(params.text_document.uri, params.position)
    if snapshot is None:
        return None
    ask = convert.ask(params.context, snapshot, ls.completer.settings, ls.client.dialect.encoding)
    completion = _noted(ls, await ls.completer.complete(snapshot, ask))
    if completion.finish_reason in UNANSWERED_REASONS:
        return None
    return types.InlineCompletionList(convert.inline_items(completion, snapshot, ls.client.dialect))


async def completion(ls: FimServer, params: types.CompletionParams) -> types.CompletionList:
    """The same suggestion as one item of an ordinary completion list."""
    snapshot = ls.snapshot(params.text_document.uri, params.position)
    if snapshot is None or not ls.answers_completion:
        return types.CompletionList(is_incomplete=False, items=[])
    # Editors say "invoked" for typing a word as well, so it is never taken for a key press here.
    completion = _noted(ls, await ls.completer.complete(snapshot, Ask()))
    return convert.completion_list(completion, snapshot, ls.client.dialect)


def _noted(ls: FimServer, completion: Completion) -> Completion:
    """The completion, after a failure was shown once or a success has ended the failures."""
    if completion.finish_reason == "failed":
        ls.status.complain(completion.stages[-1].outcome if completion.stages else "")
    elif completion.finish_reason in ANSWERED:
        ls.status.works_again()
    return completion


def initialize(ls: FimServer, params: types.InitializeParams) -> None:
    """Take in what the client is and wants, before the capabilities are put together."""
    ls.meet(params)
    if ls.answers_completion:
        ls.feature(types.TEXT_DOCUMENT_COMPLETION, COMPLETION_OPTIONS)(completion)


async def initialized(ls: FimServer, _params: types.InitializedParams) -> None:
    """Get the settings, and only then begin to load what they name."""
    ls.status.start()
    if ls.client.registers_configuration:
        ls.in_background(ls.register(types.WORKSPACE_DID_CHANGE_CONFIGURATION))
    await ls.fetch_settings()
    _offer_completion(ls)
    await ls.completer.start()


async def did_change_configuration(ls: FimServer, params: types.DidChangeConfigurationParams) -> None:
    """Let changed settings hold at once; an editor that pushes none is asked for them."""
    if concerns_us(params.settings):
        ls.take_settings(params.settings)
    else:
        await ls.fetch_settings()
    _offer_completion(ls)


def _offer_completion(ls: FimServer) -> None:
    """Answer ``textDocument/completion`` from now on, if settings that came later want it."""
    if ls.answers_completion and types.TEXT_DOCUMENT_COMPLETION not in ls.protocol.fm.features:
        ls.feature(types.TEXT_DOCUMENT_COMPLETION, COMPLETION_OPTIONS)(completion)
        if ls.client.registers_completion:
            options = {"documentSelector": None, "triggerCharacters": COMPLETION_OPTIONS.trigger_characters}
            ls.in_background(ls.register(types.TEXT_DOCUMENT_COMPLETION, options))


async def shutdown(ls: FimServer, _params: None) -> None:
    """Stop all work; answered once that is done."""
    await ls.completer.stop()


def did_change(ls: FimServer, params: types.DidChangeTextDocumentParams) -> None:
    """Tell of the edit: it may be just what the model writes."""
    uri = params.text_document.uri
    if (opened := ls.protocol.documents.find(uri)) is not None:
        is_key = sum(len(change.text) for change in params.content_changes) <= 1
        ls.completer.changed(uri, lambda: opened.document, is_key=is_key)


def did_close(ls: FimServer, params: types.DidCloseTextDocumentParams) -> None:
    """Stop and drop what belongs to the document."""
    ls.forget(params.text_document.uri)


def did_show(ls: FimServer, params: Any) -> None:
    """The editor drew a suggestion."""
    ls.completer.statistics.was_shown(_completion_id(params))


def did_partially_accept(ls: FimServer, params: Any) -> None:
    """The user took a part of a suggestion, measured from its start in UTF-16 units."""
    accepted = params.get("acceptedLength") if isinstance(params, dict) else None
    if isinstance(accepted, int):
        ls.completer.statistics.was_accepted_in_part(_completion_id(params), accepted)


def _completion_id(params: Any) -> str:
    """The completion that an item came from; empty for an item that is not one of ours."""
    try:
        return str(params["item"]["command"]["arguments"][0])
    except (KeyError, IndexError, TypeError):
        return ""


def accepted(ls: FimServer, *arguments: Any) -> None:
    """The user took a suggestion: the id of its completion, and which of its candidates."""
    if arguments:
        ls.completer.statistics.was_accepted(str(arguments[0]))


def status(ls: FimServer, *_arguments: Any) -> dict[str, Any]:
    """What the model is doing, and what became of this session's suggestions."""
    counts = ls.completer.statistics
    statistics = {
        "shown": counts.shown,
        "accepted": counts.accepted,
        "acceptedInPart": counts.accepted_in_part,
        "tokens": {
            "read": counts.tokens_read,
            "written": counts.tokens_written,
            "given": counts.tokens_given,
        },
    }
    return on_the_wire(ls.completer.status) | {"statistics": statistics}


def toggle(ls: FimServer, *_arguments: Any) -> dict[str, bool]:
    """Switch suggestions off or on, for this session."""
    return {"enabled": ls.toggle()}


FEATURES = (
    (types.INITIALIZE, initialize, None),
    (types.INITIALIZED, initialized, None),
    (types.SHUTDOWN, shutdown, None),
    (types.TEXT_DOCUMENT_DID_CHANGE, did_change, None),
    (types.TEXT_DOCUMENT_DID_CLOSE, did_close, None),
    (types.TEXT_DOCUMENT_INLINE_COMPLETION, inline_completion, types.InlineCompletionOptions()),
    (types.TEXT_DOCUMENT_CODE_ACTION, instruct.code_actions, instruct.CODE_ACTION_OPTIONS),
    (types.WORKSPACE_DID_CHANGE_CONFIGURATION, did_change_configuration, None),
    ("textDocument/didShowCompletion", did_show, None),
    ("textDocument/didPartiallyAcceptCompletion", did_partially_accept, None),
)
COMMANDS = (
    (convert.ACCEPTED_COMMAND, accepted),
    ("fim-ls.status", status),
    ("fim-ls.toggle", toggle),
    ("fim-ls.explain", explain),
    (instruct.COMMAND, instruct.instruct),
)


def register(server: FimServer) -> None:
    """Let a server answer what the tables name; completion is added when it is wanted."""
    for method, handler, options in FEATURES:
        server.feature(method, options)(handler)
    for name, command in COMMANDS:
        server.command(name)(command)
