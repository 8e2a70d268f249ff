"""What every backend does to its stream of pieces: drop the healed text, stop at a stop string."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

from lsp_server.backends.base import FinishReason, Report

Pieces = Generator[str, None, None]


def drop_healed(pieces: Pieces, healed: str) -> Pieces:
    """The pieces without the text that the model was made to spell first.

    While the healed text is being spelled the pieces are empty, so that the puller can still leave.
    """
    left = len(healed)
    with closing(pieces):
        for piece in pieces:
            yield piece[left:]
            left = max(0, left - len(piece))


def until_stop_string(pieces: Pieces, stop_strings: tuple[str, ...], report: Report) -> Pieces:
    """The pieces up to the first stop string, wherever in a piece it begins or ends.

    The last characters are held back while they could be the beginning of a stop string.
    """
    held = ""
    with closing(pieces):
        for piece in pieces:
            held += piece
            cut = min((at for stop in stop_strings if (at := held.find(stop)) >= 0), default=-1)
            if cut >= 0:
                report.finish_reason = FinishReason.STOP
                yield held[:cut]
                return
            safe = len(held) - _beginning_of_a_stop(held, stop_strings)
            yield held[:safe]
            held = held[safe:]
    if held:
        yield held


def _beginning_of_a_stop(text: str, stop_strings: tuple[str, ...]) -> int:
    """Length of the longest end of ``text`` that a stop string begins with."""
    return max(
        (
            length
            for stop in stop_strings
            for length in range(1, min(len(stop), len(text) + 1))
            if text.endswith(stop[:length])
        ),
        default=0,
    )
