"""Measures on lines that several filters and stops share. Lines come without their line ends."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from lsp_server.completion.document import Document, Snapshot

_TAB_WIDTH = 4
_LINES_SEEN = 200
_FENCED_LANGUAGES = frozenset({"markdown", "mdx", "plaintext", "quarto", "restructuredtext", "rmd"})
_WORD = re.compile(r"\w")
_UNTELLING = re.compile(r"[\s,;'\"`]+")
_CLOSER = re.compile(r"\s*(?:[)\]}]|</|(?:end|endif|fi|done|esac)[;,)\s]*\Z)")
_CLOSING = re.compile(
    r"\s*(?:[)\]}>]|\"\"\"|'''|</[\w.:-]*>|\b(?:end|endif|fi|done|esac)\b)(?:[)\]}>;,\s]|</[\w.:-]*>)*"
)
_STAMMERS = (
    re.compile(r"(?<![^\W_])([^\W\d_]{3,}(?:_[^\W\d_]{3,})*)(?:_\1)+(?![^\W_])", re.IGNORECASE),
    re.compile(r"([A-Z][a-z]{3,})\1(?![a-z])"),
)
_OPENING = re.compile(r"(?:[:{(\[]|[=-]>|\b(?:begin|do|else|then))\s*(?:(?://|#).*)?\Z")


def indentation_width(line: str) -> int:
    """Columns of white space that a line starts with; a tab reaches to the next multiple of four."""
    lead = line[: len(line) - len(line.lstrip(" \t"))]
    return len(lead.expandtabs(_TAB_WIDTH))


def has_word(text: str) -> bool:
    """Whether there is a letter, a digit or an underscore in a text."""
    return _WORD.search(text) is not None


def non_blank(lines: Iterable[str]) -> list[str]:
    """The lines that hold more than white space, without the white space at their ends."""
    return [line.rstrip() for line in lines if line and not line.isspace()]


def line_above(snapshot: Snapshot) -> str:
    """The nearest non-blank line above the cursor line; empty when there is none."""
    return next((line for line in snapshot.above() if line.strip()), "")


def lines_below(snapshot: Snapshot, count: int) -> list[str]:
    """The next ``count`` non-blank lines below the cursor line; fewer where 200 lines hold no more."""
    near = islice(snapshot.below(), _LINES_SEEN)
    return list(islice((line.rstrip() for line in near if line and not line.isspace()), count))


def is_above_body(snapshot: Snapshot) -> bool:
    """Whether the next line is indented deeper than the cursor line, as what belongs to it."""
    line = snapshot.line_prefix + snapshot.line_suffix
    below = next(iter(lines_below(snapshot, 1)), "")
    return indentation_width(below) > indentation_width(line + ".")


def written_lines(text: str, snapshot: Snapshot) -> list[str]:
    """The lines of the file that a middle writes; a cursor line to which it adds nothing is not one."""
    first, *rest = text.split("\n")
    return [snapshot.line_prefix + first, *rest] if first.strip() else rest


def starts_with_closer(line: str) -> bool:
    """Whether a line begins by closing something, as ``} else {`` does."""
    return _CLOSER.match(line) is not None


def is_closing_line(line: str) -> bool:
    """Whether a line only closes: brackets, triple quotes, an end tag, ``end``, ``fi``."""
    return _CLOSING.fullmatch(line) is not None


def only_closes(line: str) -> bool:
    """Whether a line closes something and goes on with no word, as ``):`` does, too."""
    return is_closing_line(line) or (starts_with_closer(line) and not has_word(line))


def opens_block(line: str) -> bool:
    """Whether what follows a line is its body: it ends with ``:``, an open bracket, ``=>``, ``do``."""
    return _OPENING.search(line.rstrip()) is not None


def stammers(line: str, document: Document) -> bool:
    """Whether a name says the same twice or more, one behind the other, and the document does not have it.

    In a million lines of open code there are some fifty such names.
    """
    names = (found.group() for stammer in _STAMMERS for found in stammer.finditer(line))
    return any(document.text.find(name) < 0 for name in names)


def is_fence_foreign(document: Document) -> bool:
    """Whether a Markdown fence in a middle is chatter: the language has none, and the text shows none."""
    return document.language not in _FENCED_LANGUAGES and not document.mark.whole.fences


def is_nearly_line(one: str, other: str) -> bool:
    """Whether two lines, indented alike, differ in nothing but blanks, quotes, commas and semicolons.

    Any letter or sign more would take ``set_xlim(a, b)`` for ``set_ylim(a, b)`` and ``1 * x`` for ``1 ** x``,
    which people write one above the other.
    """
    bare = _UNTELLING.sub("", one)
    if len(bare) < 5 or indentation_width(one) != indentation_width(other):
        return False
    return bare == _UNTELLING.sub("", other)


def within_distance(one: str, other: str, limit: int) -> bool:
    """Whether at most ``limit`` characters must be put in, taken out or changed between two texts."""
    if abs(len(one) - len(other)) > limit:
        return False
    row = list(range(len(other) + 1))
    for at, character in enumerate(one, start=1):
        row = _next_row(row, at, character, other, limit)
        if min(row) > limit:
            return False
    return row[-1] <= limit


def _next_row(above: list[int], at: int, character: str, other: str, limit: int) -> list[int]:
    """One row of the edit table, filled only where the distance can still be within the limit."""
    row = [limit + 1] * len(above)
    row[0] = min(at, limit + 1)
    for column in range(max(1, at - limit), min(len(other), at + limit) + 1):
        changed = above[column - 1] + (character != other[column - 1])
        row[column] = min(changed, above[column] + 1, row[column - 1] + 1)
    return row
