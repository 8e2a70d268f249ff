"""Did we already answer this, or is the user typing our last answer?

An answer is kept under the text before the cursor and the text after it, both as hashes of 64 bits: never the
prefix alone, never with white space folded away. Of either half the hash is of the ``NEAR`` characters at the
cursor, which is more than models are shown, and of what lies beyond only the length counts. A lookup also
tries the places up to ``LOOK_BACK`` characters back: if what was typed since is how an answer there begins,
the rest of that answer is the answer here.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from lsp_server.completion.acceptance import Written
from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Suggestion

MOST_ANSWERS = 250
NEAR = 32_768
"""Characters on each side of the cursor that must be the same; so a lookup costs no more in a long file."""
LOOK_BACK = 1024
"""Characters; a block that was accepted whole, or as far as it was written, is no longer."""


class Key(NamedTuple):
    """A place that was answered; ``epoch`` is all but the text that an answer depends on."""

    uri: str
    offset: int
    prefix: int
    suffix: int
    multiline: bool
    epoch: str


@dataclass(frozen=True)
class Answer:
    """What was suggested at one place.

    Attributes:
        suggestions: best first; empty when nothing can be shown of what the model wrote.
        complete: whether all candidates that an explicit request wants are there.
        dropped_by: the filter that left nothing, or None.
        written: what it took to write it.
    """

    suggestions: tuple[Suggestion, ...]
    complete: bool = False
    dropped_by: str | None = None
    written: Written = field(default_factory=Written, compare=False)

    @cached_property
    def longest(self) -> int:
        """Characters of the longest suggestion."""
        return max((len(suggestion.text) for suggestion in self.suggestions), default=0)

    def rest(self, typed: str) -> Answer | None:
        """What is left after its beginning was typed; None if that is not what was typed, or all of it."""
        if not typed:
            return self
        left = tuple(
            replace(suggestion, text=suggestion.text[len(typed) :])
            for suggestion in self.suggestions
            if suggestion.text.startswith(typed) and len(suggestion.text) > len(typed)
        )
        return replace(self, suggestions=left, complete=False) if left else None


class CompletionCache:
    """The last answers, least recently used first.

    One owner only: it is read and written on the event loop.
    """

    def __init__(self, most: int = MOST_ANSWERS) -> None:
        self._answers: OrderedDict[Key, Answer] = OrderedDict()
        self._by_offset: dict[str, dict[int, list[Key]]] = {}
        self._most = most
        self._longest = 0

    def store(self, snapshot: Snapshot, answer: Answer, *, multiline: bool, epoch: str = "") -> None:
        """Keep an answer."""
        key = _key(snapshot, snapshot.offset, multiline, epoch)
        if key not in self._answers:
            self._by_offset.setdefault(key.uri, {}).setdefault(key.offset, []).append(key)
        self._longest = max(self._longest, min(answer.longest, LOOK_BACK + 1))
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > self._most:
            self._drop(next(iter(self._answers)))

    def find(self, snapshot: Snapshot, *, multiline: bool, epoch: str = "") -> Answer | None:
        """The answer for this very place, or what is left of one that is being typed."""
        document, offset = snapshot.document, snapshot.offset
        begun = self._by_offset.get(document.uri, {})
        back_to = offset - max(1, self._longest)  # what began before that has been typed to its end
        for start in [start for start in range(offset, back_to, -1) if start in begun]:
            typed = document.text[start:offset]
            # A block answers a request for one line too: that was decided where the typing began.
            kinds = (multiline, True) if typed and not multiline else (multiline,)
            for key in (key for kind in kinds for key in begun[start] if key.multiline == kind):
                # What was typed is compared first: hardly anything is left then to be hashed.
                rest = self._answers[key].rest(typed)
                if rest is not None and key == _key(snapshot, start, key.multiline, epoch):
                    self._answers.move_to_end(key)
                    return rest
        return None

    def forget(self, uri: str) -> None:
        """Drop all answers of a document."""
        for keys in self._by_offset.pop(uri, {}).values():
            for key in keys:
                del self._answers[key]

    def _drop(self, key: Key) -> None:
        del self._answers[key]
        begun = self._by_offset[key.uri]
        begun[key.offset].remove(key)
        if not begun[key.offset]:
            del begun[key.offset]
        if not begun:
            del self._by_offset[key.uri]


def _key(snapshot: Snapshot, start: int, multiline: bool, epoch: str) -> Key:
    """The key of a place at or before the cursor, with what follows the cursor behind it."""
    document = snapshot.document
    before = document.text[max(0, start - NEAR) : start]
    after = document.text[snapshot.offset : snapshot.offset + NEAR]
    rest = len(document.text) - snapshot.offset
    return Key(document.uri, start, hash(before), hash((rest, after)), multiline, epoch)
