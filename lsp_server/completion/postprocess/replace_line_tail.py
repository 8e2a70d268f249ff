"""Bring a middle into agreement with the rest of the cursor line, so that nothing stands there twice."""

from __future__ import annotations

import re
from dataclasses import replace

from lsp_server.completion.brackets import balance, comment_start
from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Suggestion
from lsp_server.completion.postprocess.base import FilterContext

_REACH = 16
"""Code points of closers after the cursor that are looked at; editors put few there."""
_NEAR = 400
"""Code points on each side of the cursor that are weighed; bounds the work on very long lines."""
_WORD_SEAM = re.compile(r"\w\w")
_CLOSERS = re.compile(r"[\s)\]}>;:,{\"'`]*")
"""Closers and what editors leave behind them; the brace is that of ``if (|) {``."""


def replace_line_tail(suggestion: Suggestion, context: FilterContext) -> Suggestion:
    """Replace the closers after the cursor that the text has too; cut words that follow the cursor.

    Closers stay in the text and ``replaces`` reaches over them: editors draw a text that holds what it
    replaces, in order. Words that follow are never inserted again, unless something encloses them.
    """
    tail = context.snapshot.line_suffix.rstrip()
    text = _without_last_comment(suggestion.text, context.snapshot) if tail else suggestion.text
    if not _CLOSERS.fullmatch(tail):
        cut = _without_overlap(text, tail, context.snapshot)
        return replace(suggestion, text=cut, replaces=_enclosed(text, tail) if cut == text else 0)
    reach = _closers_written(text, tail, context.snapshot)
    # What is left of the tail stands right behind the closers written: a line end there would part them.
    kept = text.rstrip() if reach else _without_overlap(text, tail, context.snapshot)
    return replace(suggestion, text=kept, replaces=reach)


def _without_last_comment(text: str, snapshot: Snapshot) -> str:
    """The text without a comment at its end, which would swallow the rest of the line."""
    before = snapshot.line_prefix[-_NEAR:]
    at = comment_start(before + text, snapshot.document.language) - len(before)
    return text[:at].rstrip() if 0 <= at < len(text) else text


def _closers_written(text: str, tail: str, snapshot: Snapshot) -> int:
    """How many code points of the tail the text has written: so many that the balance of the line is kept."""
    ends = (text.partition("\n")[0].rstrip()[-1:], text.rstrip()[-1:])

    def cost(reach: int) -> tuple[int, int]:
        is_at_end = reach > 0 and tail[reach - 1] in ends
        return _offset(text, tail[reach:], snapshot), -reach if is_at_end else reach

    reaches = range(min(len(tail), _REACH) + 1)
    return min((reach for reach in reaches if _is_in_order(tail[:reach], text)), key=cost)


def _is_in_order(part: str, text: str) -> bool:
    """Whether the characters of ``part`` stand in ``text`` in their order, perhaps with others between."""
    characters = iter(text)
    return all(character in characters for character in part)


def _without_overlap(text: str, tail: str, snapshot: Snapshot) -> str:
    """The text without its longest end that the tail begins with, unless a bracket would be lost."""
    for lead in (tail, tail.lstrip()):
        for length in range(min(len(lead), len(text)), 0, -1):
            kept = text[:-length]
            if not text.endswith(lead[:length]) or _parts_word(kept, lead, length):
                continue
            if _offset(kept, tail, snapshot) <= _offset(text, tail, snapshot):
                return kept
    return text


def _parts_word(kept: str, lead: str, length: int) -> bool:
    """Whether an overlap begins or ends inside a word."""
    begins = kept[-1:] + lead[:1]
    ends = lead[length - 1 : length + 1]
    return _WORD_SEAM.fullmatch(begins) is not None or _WORD_SEAM.fullmatch(ends) is not None


def _enclosed(text: str, tail: str) -> int:
    """Length of the tail if the text has it as a whole with only closers after it, else 0."""
    at = text.rfind(tail)
    if at < 0 or _WORD_SEAM.fullmatch(text[at - 1 : at] + tail[0]):
        return 0
    return len(tail) if _CLOSERS.fullmatch(text, at + len(tail)) else 0


def _offset(text: str, tail: str, snapshot: Snapshot) -> int:
    """How far the line would be from what it opens and closes now, which other lines rely on."""
    language = snapshot.document.language
    before, after = snapshot.line_prefix[-_NEAR:], snapshot.line_suffix[:_NEAR]
    return balance(before + text + tail[:_NEAR], language).distance(balance(before + after, language))
