"""Where in a file a hole may lie: in code, and so that it is clear where what is missing ends.

Comments and docstrings are left alone: how prose goes on is not what a code model is judged by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lsp_server.completion.brackets import balance, comment_start
from lsp_server.completion.document import Document
from lsp_server.completion.text import has_word, indentation_width, opens_block

LONGEST_LINE_CHARACTERS = 160
"""What is longer is data."""
LINES_AROUND = 40
"""How far is looked for what a line may be a part of."""

_QUOTES = ('"""', "'''")
_DOCSTRING = re.compile(r"[rRuU]?(?:\"\"\"|''')")
_ENDED_BY_SEMICOLON = frozenset(
    {
        "c", "cpp", "csharp", "java", "javascript", "javascriptreact", "php", "rust", "typescript",
        "typescriptreact",
    }
)  # fmt: skip
_STATEMENT_END = re.compile(r"[\w)\]}\"'`]\Z")
_GOES_ON = re.compile(r"(?:[^\w\s)\]}\"'`;:{]|\b(?:and|or|not|in|is))\Z")
_TAKES_UP = re.compile(r"\s*(?:[)\].,?:|&+*/%<>=-]|(?:and|or|in|is)\b)")


def code_lines(document: Document) -> list[int]:
    """The numbers of the lines that hold code and nothing else."""
    prose = set(_prose(document))
    return [
        at
        for at, line in enumerate(document.lines)
        if at not in prose and has_word(line) and len(line) <= LONGEST_LINE_CHARACTERS
        if comment_start(line, document.language) == len(line)
    ]


def bodies(document: Document, first_lines: Iterable[int], shortest: int, longest: int) -> Iterator[range]:
    """The bodies of blocks, of so many lines: all that is deeper than the opening line above it."""
    for first in first_lines:
        if first and opens_block(document.lines[first - 1]):
            body = range(first, _end_of_body(document.lines, first, longest))
            if shortest <= len(body) <= longest:
                yield body


def _end_of_body(lines: tuple[str, ...], first: int, longest: int) -> int:
    """The line behind the body that begins at ``first``; where it is too long, one that tells so."""
    depth, end = indentation_width(lines[first - 1]), first
    for at in range(first, len(lines)):
        if lines[at].strip():
            if indentation_width(lines[at]) <= depth or end > first + longest:
                break
            end = at + 1
    return end


def ends_statement(document: Document, at: int) -> bool:
    """Whether a statement ends with this line, as far as lines can tell."""
    lines, language = document.lines, document.language
    line, above = lines[at], lines[max(0, at - LINES_AROUND) : at]
    if balance(line, language) != (0, 0) or line[-1:].isspace():
        return False
    if _is_continued(line, _nearest(above[::-1]), _nearest(lines[at + 1 : at + 1 + LINES_AROUND])):
        return False
    if language in _ENDED_BY_SEMICOLON:
        return line.endswith(";")
    # Where no brace holds a block, an open bracket above belongs to a statement that this line is a part of.
    is_part = language == "python" and balance("\n".join(above), language).unclosed > 0
    return _STATEMENT_END.search(line) is not None and not is_part


def _is_continued(line: str, above: str, below: str) -> bool:
    """Whether a line goes on with the line above it, or the line below goes on with it."""
    if indentation_width(below) > indentation_width(line):
        return True
    return _GOES_ON.search(above.rstrip()) is not None or _TAKES_UP.match(below) is not None


def _nearest(lines: Iterable[str]) -> str:
    return next((line for line in lines if line.strip()), "")


def _prose(document: Document) -> Iterator[int]:
    """The lines of comments, and of strings that run over several lines."""
    closing = ""
    for at, line in enumerate(document.lines):
        code = line.strip()
        if closing:
            yield at
            closing = "" if closing in line else closing
        elif code.startswith("/*"):
            yield at
            closing = "" if "*/" in code else "*/"
        else:
            if _DOCSTRING.match(code) or not line[: comment_start(line, document.language)].strip():
                yield at
            closing = next((mark for mark in _QUOTES if line.count(mark) % 2), "")
