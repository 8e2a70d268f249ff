"""Which brackets of a text have no counterpart in it, with strings and comments read first."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_HASH_COMMENTS = frozenset(
    {
        "cmake", "coffeescript", "dockerfile", "elixir", "julia", "makefile", "nix", "perl",
        "powershell", "python", "r", "ruby", "shellscript", "toml", "yaml",
    }
)  # fmt: skip
_DASH_COMMENTS = frozenset({"ada", "elm", "haskell", "lua", "sql"})
_NO_COMMENTS = frozenset({"json", "latex", "markdown", "plaintext", "restructuredtext"})
_QUOTED_CHARACTERS = frozenset(
    {
        "c", "cpp", "csharp", "go", "haskell", "java", "kotlin", "ocaml", "rust", "scala", "swift", "zig",
    }
)  # fmt: skip

_TRIPLE = r'"""(?:\\[\s\S]|[^\\])*?"""' + r"|'''(?:\\[\s\S]|[^\\])*?'''"
_DOUBLE = r'"(?:\\.|[^"\\\n])*"'
_SINGLE = r"'(?:\\.|[^'\\\n])*'"
_BACKTICKS = r"`(?:\\[\s\S]|[^`\\])*`"
_CHARACTER = r"'(?:\\[^'\n]{1,8}|[^'\\\n])'"
_OPENERS = {")": "(", "]": "[", "}": "{"}


class Balance(NamedTuple):
    """How many brackets a text closes without opening them (and its lone quotes), and leaves open."""

    unopened: int
    unclosed: int

    def distance(self, other: Balance) -> int:
        """How many brackets must be put in or taken out to come from one balance to the other."""
        return abs(self.unopened - other.unopened) + abs(self.unclosed - other.unclosed)


def balance(text: str, language: str) -> Balance:
    """The brackets and quotes of a text that have no counterpart in it."""
    alone = _alone(text, language)
    return Balance(len(alone.closed) + len(alone.torn), len(alone.opened))


def is_open(text: str, language: str) -> bool:
    """Whether a text ends inside brackets or quotes that it opens itself."""
    return bool(last_open(text, language))


def last_open(text: str, language: str) -> str:
    """The quote that a text leaves open, or the last such bracket; empty if all are closed."""
    alone = _alone(text, language)
    return next(iter((*alone.torn[-1:], *alone.opened[-1:])), "")


def unclosed(text: str, language: str) -> str:
    """The brackets that a text opens and leaves open."""
    return "".join(_alone(text, language).opened)


def unopened(text: str, language: str) -> str:
    """The opening brackets that a text expects before it: what it closes without opening it, that first."""
    return "".join(_OPENERS[mark] for mark in _alone(text, language).closed)


class _Alone(NamedTuple):
    """The marks of a text that have no counterpart in it: closing and opening brackets, and quotes."""

    closed: list[str]
    opened: list[str]
    torn: list[str]


def _alone(text: str, language: str) -> _Alone:
    alone = _Alone([], [], [])
    for token in _tokens(language).finditer(text):
        mark = token.group()
        if token.lastgroup == "open":
            alone.opened.append(mark)
        elif token.lastgroup == "close" and alone.opened and alone.opened[-1] == _OPENERS[mark]:
            alone.opened.pop()
        elif token.lastgroup == "close":
            alone.closed.append(mark)
        elif token.lastgroup == "torn":
            alone.torn.append(mark)
    return alone


def comment_start(text: str, language: str) -> int:
    """Where the line comment begins that a text ends in; the length of the text when it ends in none."""
    *_, last = (None, *_tokens(language).finditer(text))
    if last is None or last.lastgroup != "comment" or last.end() < len(text) or last.group().endswith("*/"):
        return len(text)
    return last.start()


@lru_cache(maxsize=64)
def _tokens(language: str) -> re.Pattern[str]:
    """What counts in a language: strings and comments (to be skipped), brackets, quotes left open."""
    # What a backslash stands before is skipped too: the pattern ``/\//`` holds no comment.
    # An apostrophe is a lifetime in Rust and a digit separator in C++: alone it says nothing there.
    single, torn = (_CHARACTER, '["`]') if language in _QUOTED_CHARACTERS else (_SINGLE, "[\"'`]")
    string = "|".join((_TRIPLE, _DOUBLE, single, _BACKTICKS))
    return re.compile(
        rf"(?P<escaped>\\.)|(?P<comment>{_comment(language)})|(?P<string>{string})"
        rf"|(?P<open>[(\[{{])|(?P<close>[)\]}}])|(?P<torn>{torn})"
    )


def _comment(language: str) -> str:
    if language in _NO_COMMENTS:
        return r"(?!)"
    if language in _HASH_COMMENTS:
        return r"#[^\n]*"
    if language in _DASH_COMMENTS:
        return r"--[^\n]*"
    return r"//[^\n]*|/\*[\s\S]*?\*/"
