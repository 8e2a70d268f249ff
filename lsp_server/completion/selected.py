"""Places that are not yet there: as if the user had taken an item of the editor's own list, or a suggestion.

A suggestion begins with the item that is selected in the list, or there is none.
"""

from __future__ import annotations

from dataclasses import replace

from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Suggestion
from lsp_server.completion.trigger import Ask


def as_if_selected(snapshot: Snapshot, ask: Ask) -> Snapshot:
    """The snapshot as it would be had the user taken the item selected in the editor's list."""
    if ask.selected is None:
        return snapshot
    document = snapshot.document
    head = document.text[: snapshot.offset - ask.selected_length] + ask.selected
    return replace(document, text=head + snapshot.suffix).at_offset(len(head))


def spelling_selected(suggestion: Suggestion, ask: Ask) -> Suggestion:
    """The suggestion beginning with the selected item, in whose place it is inserted."""
    if ask.selected is None:
        return suggestion
    return replace(suggestion, text=ask.selected + suggestion.text, replaces_before=ask.selected_length)


def as_if_accepted(place: Snapshot, suggestion: Suggestion) -> Snapshot:
    """The snapshot as it would be had the user taken a suggestion that was made for a place."""
    document = place.document
    head = document.text[: place.offset - suggestion.replaces_before] + suggestion.text
    tail = document.text[place.offset + suggestion.replaces :]
    return replace(document, text=head + tail).at_offset(len(head))
