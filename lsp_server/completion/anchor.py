"""Prompts that stay as they are while the user types, so that the model reads nothing twice.

An engine keeps what it has read of a prompt up to the first token that is another one. So the window is
shown as it was at an anchor, and what is typed since stands at the end of the prompt: behind the sentinel of
the middle, or behind the prefix where that comes last. The suffix stays, too, while an editor puts closers
behind the cursor and the user types over them; that they stand there is for the filters to see.

Nothing is shown that the document does not hold: a window is shown again only if all of its text still stands
around what was typed, and nothing but closers has come between the cursor and its suffix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lsp_server.completion.context import (
    CHARACTERS_PER_TOKEN,
    Count,
    Window,
    count_lines,
    room_for_halves,
    select_window,
)
from lsp_server.completion.document import Snapshot
from lsp_server.completion.fim import FimFormat, FimPrompt, split_healed

TYPED_CHARACTERS = 256
"""The bound on what is shown behind the sentinel of the middle: models expect a middle to end.

A new anchor every eight lines or so costs no more than the suffix and those lines, as long as the window
begins where it did: on a CPU about 200 tokens, less than one for each character.
"""
SPARE_SHARE = 1 / 16
"""Of the budget; left free for what is typed at a new anchor."""
MOST_PER_DOCUMENT = 3
"""More than the last one, which may be of a suggestion that is not taken, or of a place only looked at."""
MOST_DOCUMENTS = 32

CLOSERS_CHARACTERS = 64

_CLOSERS = re.compile(r"(?:\s*[)\]}>\"'`])*")
"""What editors put behind the cursor; a closing brace on a line of its own, too."""


@dataclass(frozen=True)
class Anchor:
    """A window as it was shown, up to the place that typing went on from.

    Attributes:
        prompt: its halves, without what was typed.
        start: where its prefix began, in code points from the start of the document.
        first_line: 0-based line that its prefix began at.
        is_first: whether it began the document.
        is_last: whether it ended the document.
        tokens: about how many tokens its halves have.
    """

    prompt: FimPrompt
    start: int
    first_line: int
    is_first: bool
    is_last: bool
    tokens: int

    def typed_at(self, place: Snapshot, most: int) -> str | None:
        """What stands between it and the cursor; None if its text does not stand around that any more."""
        text, end = place.document.text, self._prefix_end(place, most)
        if end is None or not end <= place.offset <= end + most or not self._suffix_follows(place):
            return None
        return text[end : place.offset]

    def shown(self, typed: str, tokens: int) -> Window:
        """The window with what was typed, which has so many tokens."""
        return Window(replace(self.prompt, typed=typed), self.first_line, self.tokens + tokens)

    def _prefix_end(self, place: Snapshot, most: int) -> int | None:
        text, prefix = place.document.text, self.prompt.prefix
        if text.startswith(prefix, self.start):
            return self.start + len(prefix)
        if self.is_first:
            return None
        moved = text.rfind(prefix, max(0, place.offset - most - len(prefix)), place.offset)
        return None if moved < 0 else moved + len(prefix)

    def _suffix_follows(self, place: Snapshot) -> bool:
        text, suffix = place.document.text, self.prompt.suffix
        first = max(place.offset, len(text) - len(suffix)) if self.is_last else place.offset
        at = text.find(suffix, first, place.offset + CLOSERS_CHARACTERS + len(suffix))
        return at >= 0 and _CLOSERS.fullmatch(text[place.offset : at]) is not None


class Anchors:
    """The last anchors of each document of one client, for one model at a time."""

    def __init__(self) -> None:
        self._made_for: tuple[FimFormat, Count] | None = None
        self._by_uri: dict[str, tuple[Anchor, ...]] = {}

    def window(self, place: Snapshot, form: FimFormat, budget_tokens: int, count: Count) -> Window:
        """The window to show at a place: one that was shown before, or a new one to be shown again."""
        if not (form.begins_middle or (form.uses_suffix and form.ends_with_prefix)):
            return select_window(place, form, budget_tokens, count)
        if self._made_for != (form, count):
            self._by_uri, self._made_for = {}, (form, count)
        known = self._by_uri.pop(place.document.uri, ())
        found = _found(known, place, form, budget_tokens, count)
        anchor, window = found or _anchored(known, place, form, budget_tokens, count)
        others = (other for other in known if other is not anchor)
        self._by_uri[place.document.uri] = (anchor, *others)[:MOST_PER_DOCUMENT]
        for uri in list(self._by_uri)[:-MOST_DOCUMENTS]:
            self.forget(uri)
        return window

    def forget(self, uri: str) -> None:
        """Drop what is kept of a document; may be called on any thread."""
        self._by_uri.pop(uri, None)


def _found(
    known: tuple[Anchor, ...], place: Snapshot, form: FimFormat, budget_tokens: int, count: Count
) -> tuple[Anchor, Window] | None:
    """The newest anchor that serves a place and has room for what was typed, and the window there."""
    room = room_for_halves(place, form, budget_tokens, count)
    most = TYPED_CHARACTERS if form.begins_middle else CHARACTERS_PER_TOKEN * room
    for anchor in known:
        if anchor.prompt.language == place.document.language:
            typed = anchor.typed_at(place, most)
            tokens = count_lines(typed, count) if typed is not None else 0
            if typed is not None and anchor.tokens + tokens <= room:
                return anchor, anchor.shown(typed, tokens)
    return None


def _anchored(
    known: tuple[Anchor, ...], place: Snapshot, form: FimFormat, budget_tokens: int, count: Count
) -> tuple[Anchor, Window]:
    """A new anchor at a place, and the window there."""
    # Only where the prefix comes first is it worth anything that two windows begin at the same line.
    last_begun_at = known[0].first_line if known and form.order == "psm" else None
    spare = int(budget_tokens * SPARE_SHARE)
    window = select_window(place, form, budget_tokens - spare, count, last_begun_at=last_begun_at)
    prefix, typed = _parted(window.prompt.prefix)
    start = place.offset - len(window.prompt.prefix)
    tokens = count_lines(typed, count)
    anchor = Anchor(
        replace(window.prompt, prefix=prefix),
        start,
        window.first_line,
        start == 0,
        place.offset + len(window.prompt.suffix) == len(place.document.text),
        window.tokens - tokens,
    )
    return anchor, anchor.shown(typed, tokens)


def _parted(prefix: str) -> tuple[str, str]:
    """The prefix up to the cursor line, where no piece of a vocabulary goes on, and that line as typed.

    A very long line is parted before its unfinished word.
    """
    begin = prefix.rfind("\n") + 1
    if len(prefix) - begin > TYPED_CHARACTERS // 2:
        return split_healed(prefix)
    return prefix[:begin], prefix[begin:]
