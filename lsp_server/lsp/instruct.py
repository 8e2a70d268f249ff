"""What an instruction-tuned model is asked for: code actions, the command behind them, and its answer."""
# Annotations are not postponed here: pygls looks at those of handlers at run time.

from dataclasses import dataclass
from typing import Any, Literal

from lsprotocol import types

from lsp_server.completion.document import Snapshot
from lsp_server.completion.instruct import Task, code_of, explain_task, last_comment_line, write_task
from lsp_server.completion.trigger import forbidden
from lsp_server.engine.job import Outcome
from lsp_server.lsp import convert
from lsp_server.lsp.progress import drawn_progress
from lsp_server.lsp.protocol import UNANSWERED
from lsp_server.lsp.session import FimServer

Action = Literal["explain", "write"]

COMMAND = "fim-ls.instruct"
EXPLAIN: Action = "explain"
WRITE: Action = "write"
KINDS: dict[Action, str] = {
    EXPLAIN: "fim-ls.explain",
    WRITE: f"{types.CodeActionKind.RefactorRewrite.value}.fim-ls",
}
"""The kinds of the code actions, by what they ask for."""
CODE_ACTION_OPTIONS = types.CodeActionOptions(code_action_kinds=list(KINDS.values()))
NOTHING = {
    EXPLAIN: "There is nothing to explain: no code is selected, or fim-ls is switched off here.",
    WRITE: "There is nothing to write: the cursor is in no comment, or fim-ls is switched off here.",
}
"""Why the command does nothing."""


@dataclass(frozen=True)
class Order:
    """A task, and the place in an open document that it came from."""

    action: Action
    task: Task
    start: Snapshot


def code_actions(ls: FimServer, params: types.CodeActionParams) -> list[types.CodeAction | types.Command]:
    """What can be asked for at a place; nothing while no instruction-tuned model is there.

    Editors ask of themselves wherever the cursor comes to rest, which nothing else in the protocol tells.
    """
    if params.range.start == params.range.end:
        cursor = ls.snapshot(params.text_document.uri, params.range.start)
        if cursor is not None:
            ls.completer.rests_at(cursor)
    if not ls.completer.status.instructs:
        return []
    actions = []
    for action, kind in KINDS.items():
        order = _order(ls, action, params.text_document.uri, params.range)
        if order is not None and _is_wanted(kind, params.context.only):
            arguments = [action, params.text_document.uri, params.range]
            command = types.Command(order.task.title, COMMAND, arguments=arguments)
            actions.append(_in_the_clients_way(ls, types.CodeAction(command.title, kind, command=command)))
    return actions


def _in_the_clients_way(ls: FimServer, action: types.CodeAction) -> types.CodeAction | types.Command:
    """The code action, or its command for a client that knows only those."""
    bare = action.command
    return action if ls.client.code_action_literals or bare is None else bare


def _is_wanted(kind: str, only: Any) -> bool:
    """Whether a kind, or one it belongs to, is among those asked for; all are if none is named."""
    return only is None or any(f"{kind}.".startswith(f"{_value(one)}.") or not _value(one) for one in only)


def _value(kind: types.CodeActionKind | str) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind


async def instruct(ls: FimServer, *arguments: Any) -> dict[str, Any] | None:
    """Explain a selection, or write what the comment at the cursor asks for.

    Takes ``explain`` or ``write``, the document's URI, and a range. Its result holds the answer; None
    when there is nothing to do, another task came, or the model failed.
    """
    token = ls.protocol.command_token
    order = _said(ls, arguments)
    if order is None:
        return None
    async with drawn_progress(ls, order.task.title, token) as report:
        outcome = await ls.completer.instruct(order.task, report)
    if outcome.finish_reason == "failed":
        ls.show(outcome.error or "The model failed.", types.MessageType.Error)
    if outcome.finish_reason not in ("stop", "length"):
        return None
    return await _hand_over(ls, order, outcome)


def _said(ls: FimServer, arguments: tuple[Any, ...]) -> Order | None:
    """The order that the arguments of the command give; what is wrong with them is shown."""
    try:
        action, uri, where = arguments
        place = ls.protocol.structured(where, types.Range)
        order = _order(ls, action, str(uri), place)
        sentence = NOTHING[action]
    except (ValueError, TypeError, KeyError):
        order, sentence = None, f"{COMMAND} takes {EXPLAIN} or {WRITE}, the URI of a document, and a range."
    if order is None:
        ls.show(sentence, types.MessageType.Warning)
    return order


def _order(ls: FimServer, action: Action, uri: str, where: types.Range) -> Order | None:
    """The order at a place; None where there is nothing to do, or nothing may be read."""
    start, end = ls.snapshot(uri, where.start), ls.snapshot(uri, where.end)
    if start is None or end is None or forbidden(start, ls.completer.settings) is not None:
        return None
    explains = action == EXPLAIN
    task = explain_task(start.document, start.offset, end.offset) if explains else write_task(start)
    return None if task is None else Order(action, task, start)


async def _hand_over(ls: FimServer, order: Order, outcome: Outcome) -> dict[str, Any]:
    """Show an explanation, or put code into the document; either way the answer is the command's result."""
    answer = outcome.texts[0].strip("\n").rstrip()
    result: dict[str, Any] = {"text": answer, "finishReason": outcome.finish_reason}
    if order.action == EXPLAIN:
        ls.show(answer or "The model has nothing to say about it.", types.MessageType.Info)
        return result
    return result | {"applied": await _apply(ls, order, answer)}


async def _apply(ls: FimServer, order: Order, answer: str) -> bool:
    """Have the client put the code below the comment; not if the document is another by now."""
    line = last_comment_line(order.start)
    comment = order.start.document.lines[line or 0]
    code = code_of(answer, comment[: len(comment) - len(comment.lstrip())])
    opened = ls.protocol.documents.find(order.start.document.uri)
    if line is None or not code.strip():
        sentence = "The model has written no code."
    elif opened is None or opened.document is not order.start.document:
        sentence = "The document was changed meanwhile, so the code was not put into it."
    elif not ls.client.applies_edits:
        sentence = "This editor does not let a server put code into a document."
    elif await _is_applied(ls, order.start.document.at(line, len(comment)), f"\n{code}"):
        return True
    else:
        sentence = "The editor did not put the code into the document."
    ls.show(sentence, types.MessageType.Warning)
    return False


async def _is_applied(ls: FimServer, place: Snapshot, text: str) -> bool:
    edit = convert.insertion(place, text, ls.client.dialect, versioned=ls.client.versioned_edits)
    params = types.ApplyWorkspaceEditParams(edit, label="Write code from the comment")
    try:
        answer = await ls.protocol.request(types.WORKSPACE_APPLY_EDIT, params)
    except UNANSWERED:
        return False
    return bool(answer.applied)
