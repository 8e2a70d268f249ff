"""Did we already answer this, or is the user typing our last answer?

An answer is kept under the text before the cursor and the text after it, both as digests: never the prefix
alone, never with white space folded away. Of either half the digest is of the ``NEAR`` characters at the
cursor, which is more than models are shown, and of what lies beyond only the length counts. A lookup also
tries the places up to ``LOOK_BACK`` characters back: if what was typed since is how an answer there begins,
the rest of that answer is the answer here.
"""

from __future__ import annotations

import hashlib
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
    prefix: bytes
    suffix: bytes
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
        self._most = most

    def store(self, snapshot: Snapshot, answer: Answer, *, multiline: bool, epoch: str = "") -> None:
        """Keep an answer."""
        key = _key(snapshot, snapshot.offset, multiline, epoch)
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)

    def find(self, snapshot: Snapshot, *, multiline: bool, epoch: str = "") -> Answer | None:
        """The answer for this very place, or what is left of one that is being typed."""
        document, offset = snapshot.document, snapshot.offset
        left = {}
        for key, answer in self._answers.items():
            back = offset - key.offset
            if back and (back < 0 or back >= answer.longest or back > LOOK_BACK):
                continue
            # A block answers a request for one line too: that was decided where the typing began.
            fits = key.multiline == multiline or (key.multiline and back)
            if fits and key.uri == document.uri and key.epoch == epoch:
                left[key] = answer.rest(document.text[key.offset : offset])
        # What was typed is compared first: hardly anything is left then to make digests for.
        for key in sorted(left, key=lambda key: (-key.offset, key.multiline != multiline)):
            rest = left[key]
            if rest is not None and key == _key(snapshot, key.offset, key.multiline, epoch):
                self._answers.move_to_end(key)
                return rest
        return None

    def forget(self, uri: str) -> None:
        """Drop all answers of a document."""
        for key in [key for key in self._answers if key.uri == uri]:
            del self._answers[key]


def _key(snapshot: Snapshot, start: int, multiline: bool, epoch: str) -> Key:
    """The key of a place at or before the cursor, with what follows the cursor behind it."""
    document = snapshot.document
    before = document.text[max(0, start - NEAR) : start]
    after = document.text[snapshot.offset : snapshot.offset + NEAR]
    rest = len(document.text) - snapshot.offset
    return Key(document.uri, start, _digest(before), _digest(f"{rest} {after}"), multiline, epoch)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
