"""LSP to ours and back: the only place with position units, line ends on the wire, and wire items."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp_server.completion.trigger import Ask

if TYPE_CHECKING:
    from lsp_server.completion.document import Document, Snapshot
    from lsp_server.completion.item import Completion, Suggestion
    from lsp_server.settings import Settings

ACCEPTED_COMMAND = "fim-ls.accepted"
LONGEST_LABEL = 80

Encoding = types.PositionEncodingKind | str
"""The unit in which an editor counts characters: utf-8, utf-16 or utf-32."""

_CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


@dataclass(frozen=True)
class Dialect:
    r"""How one client wants answers spelled.

    Attributes:
        encoding: the unit of its positions.
        markdown: whether it renders markdown beside a completion item.
        only_newlines: whether every line end must be ``\n``, whatever the file has.
    """

    encoding: Encoding = "utf-16"
    markdown: bool = True
    only_newlines: bool = False


def code_points(line: str, units: int, encoding: Encoding) -> int:
    """How many code points the first ``units`` of a line are.

    Past its end that is all of them; inside a character it is those before the character.
    """
    if line.isascii():
        return min(units, len(line))
    codec, width = _CODECS[encoding]
    return len(line.encode(codec)[: units * width].decode(codec, "ignore"))


def units(text: str, encoding: Encoding) -> int:
    """How long a text is in the units of an encoding."""
    codec, width = _CODECS[encoding]
    return len(text) if text.isascii() else len(text.encode(codec)) // width


def snapshot(document: Document, position: types.Position, encoding: Encoding) -> Snapshot:
    """The cursor in the document, clamped into its line and into the text."""
    start = document.start_of(position.line)
    if start is None:
        return document.at_offset(len(document.text))
    line = document.at_offset(start).line_suffix
    return document.at_offset(start + code_points(line, position.character, encoding))


def ask(
    context: types.InlineCompletionContext, cursor: Snapshot, settings: Settings, encoding: Encoding
) -> Ask:
    """How an inline completion is asked for: a key gets several candidates, typing gets one."""
    invoked = context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
    candidates = settings.candidates if invoked else 1
    selected = context.selected_completion_info
    if selected is None:
        return Ask(invoked, candidates)
    start = snapshot(cursor.document, selected.range.start, encoding)
    return Ask(invoked, candidates, _newlines(selected.text), max(0, cursor.offset - start.offset))


def inline_items(
    completion: Completion, cursor: Snapshot, dialect: Dialect
) -> list[types.InlineCompletionItem]:
    """The suggestions as ghost text, best first, each replacing exactly what it says it does."""
    return [
        types.InlineCompletionItem(
            insert_text=_restored(suggestion.text, cursor, dialect),
            filter_text=_filter_text(suggestion, cursor),
            range=_range(cursor, suggestion.replaces_before, suggestion.replaces, dialect.encoding),
            command=_accepted(completion.id, index),
        )
        for index, suggestion in enumerate(completion.suggestions)
    ]


def _filter_text(suggestion: Suggestion, cursor: Snapshot) -> str | None:
    """What editors compare with the typed part of the range, where that is not how the text begins.

    With "PR" typed and "print" selected the ghost text would be hidden.
    """
    typed = cursor.line_prefix[cursor.character - suggestion.replaces_before :]
    return None if suggestion.text.startswith(typed) else typed + suggestion.text[len(typed) :]


def completion_list(completion: Completion, cursor: Snapshot, dialect: Dialect) -> types.CompletionList:
    """The best suggestion as an item of an ordinary completion list, to be asked for anew at every key."""
    items = [completion_item(completion.id, one, cursor, dialect) for one in completion.suggestions[:1]]
    return types.CompletionList(is_incomplete=True, items=items)


def completion_item(
    completion_id: str, suggestion: Suggestion, cursor: Snapshot, dialect: Dialect
) -> types.CompletionItem:
    """A suggestion as a completion item.

    It takes the word before the cursor in: editors compare that word with ``filterText`` and would
    hide the item otherwise.
    """
    word = _word_before(cursor)
    whole = word + suggestion.text
    edit = types.TextEdit(
        range=_range(cursor, len(word), suggestion.replaces, dialect.encoding),
        new_text=_restored(whole, cursor, dialect),
    )
    return types.CompletionItem(
        label=_label(whole),
        kind=types.CompletionItemKind.Snippet,
        detail="fim-ls",
        documentation=_documentation(whole, cursor.document.language, dialect),
        sort_text="!",
        filter_text=whole.partition("\n")[0],
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=edit,
        command=_accepted(completion_id, 0),
    )


def insertion(place: Snapshot, text: str, dialect: Dialect, *, versioned: bool) -> types.WorkspaceEdit:
    """The edit that puts a text into a document; if ``versioned``, into this version of it only."""
    edit = types.TextEdit(_range(place, 0, 0, dialect.encoding), _restored(text, place, dialect))
    document = place.document
    if not versioned:
        return types.WorkspaceEdit(changes={document.uri: [edit]})
    identifier = types.OptionalVersionedTextDocumentIdentifier(document.uri, document.version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(identifier, [edit])])


def _accepted(completion_id: str, index: int) -> types.Command:
    return types.Command("Suggestion accepted", ACCEPTED_COMMAND, arguments=[completion_id, index])


def _range(cursor: Snapshot, before: int, after: int, encoding: Encoding) -> types.Range:
    """The stretch of the cursor line from ``before`` to ``after`` code points around the cursor."""
    line = cursor.line_prefix + cursor.line_suffix
    return types.Range(
        types.Position(cursor.line, units(line[: cursor.character - before], encoding)),
        types.Position(cursor.line, units(line[: cursor.character + after], encoding)),
    )


def _word_before(cursor: Snapshot) -> str:
    before, start = cursor.line_prefix, cursor.character
    while start > 0 and (before[start - 1].isalnum() or before[start - 1] == "_"):
        start -= 1
    return before[start:]


def _label(text: str) -> str:
    """The first line that is not blank, on its own and not too long: some lists crash on longer ones."""
    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return first if len(first) <= LONGEST_LABEL else first[: LONGEST_LABEL - 1] + "…"


def _documentation(text: str, language: str, dialect: Dialect) -> types.MarkupContent:
    if not dialect.markdown:
        return types.MarkupContent(types.MarkupKind.PlainText, text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return types.MarkupContent(types.MarkupKind.Markdown, f"{fence}{language}\n{text}\n{fence}")


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _restored(text: str, cursor: Snapshot, dialect: Dialect) -> str:
    """The text with the line ends of the file."""
    return text if dialect.only_newlines else text.replace("\n", cursor.document.eol)
