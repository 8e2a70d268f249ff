"""Where is typed: real files, each with two stretches cut out of it."""

from __future__ import annotations

import ast
import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from typing_events import SPEEDS_WPM, STRETCH_CHARACTERS, Place

SOURCES = (
    "argparse", "ast", "calendar", "codecs", "configparser", "csv", "dataclasses", "datetime", "difflib",
    "enum", "fractions", "functools", "getopt", "gettext", "gzip", "heapq", "html/parser", "http/client",
    "inspect", "ipaddress", "json/decoder", "locale", "logging/handlers", "mailbox", "netrc", "optparse",
    "pathlib", "pickle", "plistlib", "queue", "shlex", "shutil", "statistics", "tarfile", "tempfile",
    "textwrap", "tokenize", "traceback", "uuid", "zipfile",
)  # fmt: skip
"""Modules of the standard library, so that every machine has them."""


def places(count: int, seed: int) -> list[Place]:
    """Real files with two stretches cut out, each behind the head of a function."""
    chance = random.Random(seed)
    library = Path(sysconfig.get_path("stdlib"))
    found = []
    for number, name in enumerate(chance.sample(SOURCES, count)):
        text = (library / f"{name}.py").read_text(encoding="utf-8")
        found.append(cut(f"/typed/{name}.py", text, SPEEDS_WPM[number % len(SPEEDS_WPM)], seed + number))
    return found


def cut(path: str, text: str, wpm: int, seed: int) -> Place:
    """A place in a text: the body of a function in its first half is typed, and one in its last half."""
    chance = random.Random(seed)
    bodies = list(starts_of_bodies(text))
    half = len(text) // 2
    first = chance.choice([at for at in bodies if at < half - STRETCH_CHARACTERS])
    second = chance.choice([at for at in bodies if half <= at < len(text) - STRETCH_CHARACTERS])
    # What is typed is whole lines, as what stands behind it begins with a line end.
    one, two = (text[at : text.index("\n", at + STRETCH_CHARACTERS)] for at in (first, second))
    pieces = text[:first], text[first + len(one) : second], text[second + len(two) :]
    return Place(path, pieces, (one, two), wpm, seed)


def starts_of_bodies(text: str) -> Iterator[int]:
    """Where functions begin to do something: at the line end before it, behind head and docstring."""
    lines = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            is_told = ast.get_docstring(node) is not None
            if len(node.body) > is_told:
                yield lines[node.body[is_told].lineno - 1] - 1
