"""Is there something to complete here, and is it one line or a block?

The rules follow what Cody, Copilot and cursortab do; each has a name, which ``fim-ls.explain`` shows.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from lsp_server.completion.brackets import is_open
from lsp_server.completion.document import Snapshot
from lsp_server.completion.text import (
    has_word,
    indentation_width,
    is_above_body,
    line_above,
    lines_below,
    opens_block,
)
from lsp_server.settings import Settings

SHORTEST_DOCUMENT_CHARACTERS = 10
_LINE_SEEN = 500
"""Characters: minified files have lines of a megabyte, and this is asked with each key."""
_ONLY_CLOSERS = re.compile(r"""\s*[)>}\]"'`]*\s*[:{;,]?\s*\Z""")
_FINISHED_LINE = re.compile(r"(?:\);|[\]}]\)*;?)\s*\Z")
_PYTHON_HEADER = re.compile(r"\s*(?:async\s+)?(?:if|elif|while|for|with|def|class|except|match|case)\b")
_COMMENT = re.compile(r"\s*(?:#|//|--|;;|/\*|\*\s|%)")


@dataclass(frozen=True)
class Ask:
    """How a completion was asked for.

    Attributes:
        invoked: the user asked for it with a key; otherwise it is typing that asks.
        candidates: how many suggestions are wanted at most.
        selected: text of the item selected in the editor's own list, which every suggestion must
            begin with; None when nothing is selected.
        selected_length: how many code points before the cursor that item replaces.
    """

    invoked: bool = False
    candidates: int = 1
    selected: str | None = None
    selected_length: int = 0


@dataclass(frozen=True)
class Skip:
    """Nothing is asked; ``rule`` names why."""

    rule: str


@dataclass(frozen=True)
class Go:
    """Something may be suggested, a block or one line.

    Attributes:
        multiline: whether it may be a block.
        unwelcome: the rule by which the model is not to be asked here; what it said before, and the
            user is typing now, is shown all the same: ghost text must not blink.
    """

    multiline: bool
    unwelcome: str | None = None


def decide(snapshot: Snapshot, ask: Ask, settings: Settings) -> Go | Skip:
    """Whether to suggest something here; typing is held to more rules than a key press."""
    rule = forbidden(snapshot, settings)
    if rule is not None:
        return Skip(rule)
    return Go(_wants_block(snapshot, ask, settings), None if ask.invoked else _unwelcome(snapshot))


def forbidden(snapshot: Snapshot, settings: Settings) -> str | None:
    """The rule by which nothing may be suggested here, however it is asked for."""
    document = snapshot.document
    if not settings.enabled:
        return "switched_off"
    if document.language in settings.disabled_languages:
        return "language_disabled"
    if is_disabled(_path(document.uri), settings):
        return "path_disabled"
    if not document.text or document.text.isspace():
        return "empty_document"
    return None


def is_disabled(path: str, settings: Settings) -> bool:
    """Whether a file of this path gets no suggestions and is never read."""
    return _is_any_of(settings.disabled_globs, path)


@lru_cache(maxsize=64)  # it is asked of a document with each key
def _is_any_of(globs: tuple[str, ...], path: str) -> bool:
    # A glob that is not rooted, as a project writes it, may begin anywhere in the path.
    everywhere = (anywhere for glob in globs for anywhere in (glob, f"*/{glob}"))
    return any(fnmatch.fnmatch(path, glob) for glob in everywhere)


def _path(uri: str) -> str:
    try:
        return unquote(urlsplit(uri).path)
    except ValueError:  # editors open things whose names only look like URIs
        return uri


def _unwelcome(snapshot: Snapshot) -> str | None:
    """The rule by which a suggestion would only be in the way of typing."""
    before, after = snapshot.line_prefix, snapshot.line_suffix
    if len(snapshot.document.text) < SHORTEST_DOCUMENT_CHARACTERS:
        return "short_document"
    if after[:1].isalnum() or after[:1] == "_":
        return "inside_word"
    if not _ONLY_CLOSERS.match(after):
        return "middle_of_line"
    if not after.strip() and _is_finished(before, snapshot.document.language):
        return "finished_line"
    return None


def _is_finished(line: str, language: str) -> bool:
    """Whether a line ends by closing something, and leaves nothing else open, as ``print(items[0]`` does.

    In Python the head of a block ends with its colon.
    """
    if language == "python" and _PYTHON_HEADER.match(line):
        return False
    return bool(_FINISHED_LINE.search(line)) and not is_open(line[-_LINE_SEEN:], language)


def _wants_block(snapshot: Snapshot, ask: Ask, settings: Settings) -> bool:
    if settings.multiline != "auto":
        return settings.multiline == "always"
    if has_word(snapshot.line_suffix) or _COMMENT.match(snapshot.line_prefix) or _has_body(snapshot):
        return False
    return ask.invoked or _opens_block(snapshot)


def _has_body(snapshot: Snapshot) -> bool:
    """Whether the block that is begun here has its body below: then only its head, one line, is missing."""
    line = snapshot.line_prefix + snapshot.line_suffix
    is_head = not line.strip() or not snapshot.line_suffix.strip() or opens_block(snapshot.line_suffix)
    return is_head and is_above_body(snapshot)


def _opens_block(snapshot: Snapshot) -> bool:
    """Whether the cursor stands at the beginning of a block that has no body yet."""
    below = indentation_width(next(iter(lines_below(snapshot, 1)), ""))
    before = snapshot.line_prefix
    if before.strip():
        return opens_block(before) and indentation_width(before) >= below
    above = line_above(snapshot)
    return opens_block(above) and below <= indentation_width(above) < indentation_width(before + ".")
