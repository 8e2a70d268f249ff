"""Where a text goes round, and what would go round once more.

A small model that takes the likeliest token, over and over, ends up saying the same again and again, and
nothing of that can be shown. So what would begin one round too many for the filters is ruled out, and the
model goes on with what is likely beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp_server.backends.healing import Vocabulary

LONGEST_ROUND = 40
"""Tokens."""
_ROUNDS_OF_LENGTH = ((10, 5), (20, 3))
"""A round of less than so many characters may be written so often, one behind the other."""
_LONG_ROUNDS = _PART_OF_NAME_ROUNDS = 2
_SHORTEST_PART = 4
"""Characters of a part of a name that is not written three times in a row."""


def one_round_more(tokens: list[int], vocabulary: Vocabulary) -> list[int]:
    """The tokens that would begin one round too many behind what was written.

    Rounds of one character, or without a letter, are no loop: rulers, numbers, indentation.
    """
    found = []
    for length in range(1, min(LONGEST_ROUND, len(tokens) // 2) + 1):
        if tokens[-1] == tokens[-1 - length]:
            last = tokens[-length:]
            rounds = _most_rounds(vocabulary.spelled(last))
            if rounds and tokens[-length * rounds :] == last * rounds:
                found.append(last[0])
    return found


def _most_rounds(spelled: bytes) -> int:
    """How often a round may be written; 0 if as often as one likes."""
    text = spelled.decode("utf-8", "replace")
    if not any(map(str.isalpha, text)) or len(set(text)) == 1:
        return 0
    if len(text) >= _SHORTEST_PART and text.replace("_", "a").isalnum():
        return _PART_OF_NAME_ROUNDS
    return next((rounds for less, rounds in _ROUNDS_OF_LENGTH if len(text) < less), _LONG_ROUNDS)
