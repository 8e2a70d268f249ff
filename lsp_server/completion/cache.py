"""Did we already answer this, or is the user typing our last answer?

An answer is kept under the text before the cursor and the text after it, both as digests: never the prefix
alone, never with white space folded away. A lookup also tries the places up to ``LOOK_BACK`` characters
back: if what was typed since is how an answer there begins, the rest of that answer is the answer here.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from lsp_server.completion.acceptance import Written
from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Suggestion

MOST_ANSWERS = 250
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
        text = snapshot.document.text
        key = Key(
            snapshot.document.uri,
            snapshot.offset,
            _digest(text[: snapshot.offset]),
            _digest(snapshot.suffix),
            multiline,
            epoch,
        )
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)

    def find(self, snapshot: Snapshot, *, multiline: bool, epoch: str = "") -> Answer | None:
        """The answer for this very place, or what is left of one that is being typed."""
        uri, text, offset = snapshot.document.uri, snapshot.document.text, snapshot.offset
        answered = {key.offset for key in self._answers if key.uri == uri and key.epoch == epoch}
        starts = sorted(start for start in answered if offset - LOOK_BACK <= start <= offset)
        if not starts:
            return None
        suffix, prefixes = _digest(snapshot.suffix), _digests(text, starts)
        for start in reversed(starts):
            # A block answers a request for one line too: that was decided where the typing began.
            for block in (multiline, True) if start < offset else (multiline,):
                key = Key(uri, start, prefixes[start], suffix, block, epoch)
                if key in self._answers and (rest := self._answers[key].rest(text[start:offset])):
                    self._answers.move_to_end(key)
                    return rest
        return None

    def forget(self, uri: str) -> None:
        """Drop all answers of a document."""
        for key in [key for key in self._answers if key.uri == uri]:
            del self._answers[key]


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _digests(text: str, ends: list[int]) -> dict[int, bytes]:
    """The digest of the text up to each of some places, in one pass; the places rise."""
    digest, at, found = hashlib.blake2b(digest_size=16), 0, {}
    for end in ends:
        digest.update(text[at:end].encode("utf-8", "surrogatepass"))
        found[end], at = digest.digest(), end
    return found
