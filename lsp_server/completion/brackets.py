"""How far a text is from being balanced, with strings and comments read first."""

from __future__ import annotations

import re
from functools import lru_cache

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


def imbalance(text: str, language: str) -> int:
    """How many brackets and quotes of a text have no counterpart in it; 0 is balanced."""
    opened: list[str] = []
    alone = 0
    for token in _tokens(language).finditer(text):
        mark = token.group()
        if token.lastgroup == "open":
            opened.append(mark)
        elif token.lastgroup == "close" and opened and opened[-1] == _OPENERS[mark]:
            opened.pop()
        elif token.lastgroup in ("close", "torn"):
            alone += 1
    return len(opened) + alone


@lru_cache(maxsize=64)
def _tokens(language: str) -> re.Pattern[str]:
    """What counts in a language: comments and strings (to be skipped), brackets, quotes left open."""
    # An apostrophe is a lifetime in Rust and a digit separator in C++: alone it says nothing there.
    single, torn = (_CHARACTER, '["`]') if language in _QUOTED_CHARACTERS else (_SINGLE, "[\"'`]")
    string = "|".join((_TRIPLE, _DOUBLE, single, _BACKTICKS))
    return re.compile(
        rf"(?P<comment>{_comment(language)})|(?P<string>{string})"
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
