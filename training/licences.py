"""Which licence a package states for its files, and whether it is one of those the corpus may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from fnmatch import fnmatchcase
from functools import cache

UNKNOWN = "unknown"
"""What stands where a package states no licence."""

_PERMITTED = re.compile(
    r"""(?:the\ )?(?:
        mit | expat | x11 | mit/x11 | iscl?
      | (?:(?:new|modified|simplified|revised|[23]-clause)\ )?bsd(?:[- ][23](?:[- ]clauses?)?)?
      | apache(?:\ software)?(?:[- ]2(?:\.0)?)?
      | psf(?:-2\.0)? | python-2\.0 | python\ software\ foundation
    )(?:[- ]licen[sc]ed?)?(?:\ version\ 2\.0)?(?:\ with\ llvm-exception)?""",
    re.VERBOSE | re.IGNORECASE,
)
_COMMA = re.compile(r",\s*(?:and\s+)?")
_OR = re.compile(r"\s+or\s+", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_BORDER = re.compile(r"[()\s]+(?:and|or)[()\s]+", re.IGNORECASE)
_FILES = re.compile(r"^Files:(.*(?:\n[ \t].*)*)", re.MULTILINE)
_LICENCE = re.compile(r"^License:[ \t]*(.+)", re.MULTILINE)


@cache
def permitted(expression: str) -> bool:
    """Whether all that an expression demands is MIT, BSD, Apache-2.0, ISC or PSF.

    Of alternatives (``MIT OR GPL-2.0``) one must be; in an expression with brackets every licence must be.
    """
    expression = expression.replace(" (ISCL)", "")
    expression = re.sub(r",\s*version", " version", expression, flags=re.IGNORECASE)
    if "(" in expression:
        return all(map(_is_permitted, _BORDER.split(expression.strip("() "))))
    return all(
        any(all(map(_is_permitted, _AND.split(choice))) for choice in _OR.split(demand))
        for demand in _COMMA.split(expression)
    )


def _is_permitted(name: str) -> bool:
    return _PERMITTED.fullmatch(name.strip()) is not None


def from_metadata(metadata: Message) -> str:
    """The licence in a wheel's METADATA: the expression, or else the classifiers, or else the free text."""
    if expression := metadata.get("License-Expression"):
        return str(expression)
    classifiers = [
        str(line).rsplit("::", 1)[-1].strip()
        for line in metadata.get_all("Classifier", [])
        if line.startswith("License :: OSI Approved ::")
    ]
    if classifiers:
        return " AND ".join(sorted(classifiers))
    lines = str(metadata.get("License", "")).strip().splitlines()
    return lines[0] if lines else UNKNOWN


class DebianCopyright:
    """A ``debian/copyright`` in its machine-readable format: which licence holds for which path."""

    def __init__(self, text: str) -> None:
        self._stanzas = list(_stanzas(text))

    @property
    def all_licences(self) -> str:
        """The licences of all of the package but its packaging, as one expression."""
        stated = sorted({licence for patterns, licence in self._stanzas if patterns != ["debian/*"]})
        if len(stated) > 1:
            stated = [f"({name})" if " " in name else name for name in stated]
        return " AND ".join(stated) or UNKNOWN

    def licence(self, path: str) -> str:
        """The licence of a path: that of the last stanza with a matching pattern, as the format has it."""
        for patterns, licence in reversed(self._stanzas):
            if any(fnmatchcase(path, pattern) for pattern in patterns):
                return licence
        return UNKNOWN


def _stanzas(text: str) -> Iterator[tuple[list[str], str]]:
    for paragraph in re.split(r"\n\s*\n", text):
        files = _FILES.search(paragraph)
        licence = _LICENCE.search(paragraph)
        if files and licence:
            yield files[1].replace(",", " ").split(), licence[1].strip()
