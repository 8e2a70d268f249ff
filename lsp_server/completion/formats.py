"""How a family of models is asked for the middle, as plain data; ``families.py`` has them all."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lsp_server.declared import SPECIAL_PIECE

PREFIX = "{prefix}"
SUFFIX = "{suffix}"


def is_special(part: str) -> bool:
    """Whether a part of a layout is a special piece, and not a text with fields in it."""
    return SPECIAL_PIECE.fullmatch(part) is not None


@dataclass(frozen=True)
class FileLayout:
    r"""How a family was shown the names of files, and other files of the same repository.

    Every part is a special piece or a text with fields in braces: ``{repository}``, ``{path}``,
    ``{extension}`` with its dot, ``{text}`` of a file, ``{lines}`` for the same closed by a line end, and
    ``{open}``, ``{close}`` and ``{language}`` for the signs around a comment and the language's name.
    A text is left out where one of its fields is not known.

    Attributes:
        repository: before everything.
        other: for each other file.
        own: for the document, before the halves.
        head: for the document, at the head of its prefix.
        in_prefix: whether the other files stand at the head of the prefix too, and not before the halves.
        names_alone: whether a document that is shown alone is named; where not, the family's
            prompt for a single file has no name in it.
    """

    repository: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    in_prefix: bool = False
    names_alone: bool = False

    @property
    def pieces(self) -> frozenset[str]:
        """The special pieces of all parts."""
        parts = (*self.repository, *self.other, *self.own)
        return frozenset(part for part in parts if is_special(part))


@dataclass(frozen=True)
class FimFormat:
    """How one family of models is asked for the middle.

    Attributes:
        name: the key in ``FORMATS``.
        layout: sentinels, and the words ``{prefix}`` and ``{suffix}`` for the halves, in order.
        stops: special pieces that end the middle; the first is also what ends a document.
        bos: the special piece that every prompt begins with; empty for none, None for
            whatever the vocabulary itself says.
        files: how names and other files are shown.
        causal_at_end: whether only the prefix is shown at the end of a file: that is what the
            family read most of, and what its authors advise there.
        stop_texts: texts that end the middle although they are no pieces.
        weighs_lines: whether of several lines that it may write one is chosen by what follows the cursor.
    """

    name: str
    layout: tuple[str, ...]
    stops: tuple[str, ...]
    bos: str | None = ""
    files: FileLayout = FileLayout()
    causal_at_end: bool = False
    stop_texts: tuple[str, ...] = ()
    weighs_lines: bool = False

    @property
    def sentinels(self) -> tuple[str, ...]:
        """The special pieces of the layout, in order."""
        return tuple(part for part in self.layout if is_special(part))

    @property
    def required(self) -> frozenset[str]:
        """The special pieces that a vocabulary must have, each as one id, for this format to be possible."""
        return frozenset(self.sentinels) | ({self.bos} if self.bos else set())

    @property
    def pieces(self) -> frozenset[str]:
        """Every special piece that the format knows of."""
        return self.required | self.files.pieces | set(self.stops)

    @property
    def file_sentinel(self) -> str:
        """The special piece that stands before another file or its path; empty for none."""
        return next((part for part in (*self.files.other, *self.files.own) if is_special(part)), "")

    @property
    def uses_suffix(self) -> bool:
        """Whether the model sees what follows the cursor."""
        return SUFFIX in self.layout

    @property
    def ends_with_prefix(self) -> bool:
        """Whether the middle goes on directly from the prefix, so that the cursor can be healed."""
        return self.layout[-1] == PREFIX

    @property
    def begins_middle(self) -> bool:
        """Whether the prompt ends with a sentinel of its own, behind which the middle begins.

        What was typed since a prompt was made can stand there. In the families that were taught with masks
        the last sentinel stands for the hole, too; for them this is not taken for granted.
        """
        last = self.layout[-1]
        return self.uses_suffix and is_special(last) and self.layout.count(last) == 1

    @property
    def spells_blanks(self) -> bool:
        """Whether the sentinels are spelled with SentencePiece's sign for a blank before them."""
        return any(sentinel.startswith("▁") for sentinel in self.sentinels)

    @property
    def order(self) -> str:
        """``psm``, ``spm`` or ``causal``: which half comes first."""
        if not self.uses_suffix:
            return "causal"
        return "psm" if self.layout.index(PREFIX) < self.layout.index(SUFFIX) else "spm"

    def before(self, suffix: str) -> FimFormat:
        """The format for a cursor before this suffix: plain continuation where the family does it better."""
        if self.causal_at_end and not suffix.strip():
            return replace(self, layout=(PREFIX,))
        return self
