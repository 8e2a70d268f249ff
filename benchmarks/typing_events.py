"""What a typist does in a file: the same for the same seed, whatever a program suggests meanwhile.

Two stretches are cut out of a real file and typed in again, one after the other. Gaps between keys are
lognormal around the speed, longer at the start of a word, and longest at a new line, where one thinks. Some
keys are wrong and taken back. All of that depends on the place in the text alone, so that typists who
accepted different suggestions still type the rest alike.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

SPEEDS_WPM = (40, 80, 120)
WORD_CHARACTERS = 5
SPREAD = 0.5
"""Standard deviation of the logarithm of a gap."""
WORD_FACTOR = 1.4
THINKING_SHARE, THINKING_S = 0.4, (0.6, 2.5)
"""How often one thinks at a new line, and between which bounds."""
TYPO_SHARE = 0.03
STRETCH_CHARACTERS = 600
"""More than is typed of a stretch, since some of it is accepted."""


@dataclass(frozen=True)
class Key:
    """One key: what it puts in place of how many characters before the cursor, after how long a gap."""

    gap_s: float
    text: str
    erased: int = 0


@dataclass
class Stretch:
    """A part of a file that is typed, and how much of it stands there already."""

    truth: str
    done: int = 0

    @property
    def left(self) -> str:
        """What is still to be typed."""
        return self.truth[self.done :]

    @property
    def last(self) -> str:
        """The character before the cursor."""
        return self.truth[max(0, self.done - 1) : self.done]


class Place:
    """A file with two stretches cut out of it, and who types them.

    Args:
        path: of the file.
        pieces: what stands before, between and behind the stretches.
        truths: the stretches.
        wpm: words of five characters a minute.
        seed: of all that is left to chance.
    """

    def __init__(
        self, path: str, pieces: tuple[str, str, str], truths: tuple[str, str], wpm: int, seed: int
    ) -> None:
        self.path = path
        self.wpm = wpm
        self._pieces = pieces
        self._stretches = tuple(Stretch(truth) for truth in truths)
        self._seed = seed
        self._at = 0
        self._typo = ""
        self._mistyped: set[tuple[int, int]] = set()

    @property
    def halves(self) -> tuple[str, str]:
        """The text before and after the cursor."""
        first, between, last = self._pieces
        one, two = (stretch.truth[: stretch.done] for stretch in self._stretches)
        if self._at == 0:
            return first + one + self._typo, between + two + last
        return first + one + between + two + self._typo, last

    @property
    def key(self) -> Key:
        """What is typed next."""
        chance = random.Random(f"{self._seed} {self._at} {self._stretch.done} {self._typo}")
        gap = 60 / (self.wpm * WORD_CHARACTERS) * chance.lognormvariate(0, SPREAD)
        if self._typo:
            return Key(gap, "", erased=len(self._typo))
        if self._stretch.last in (" ", ".", "(", ","):
            gap *= WORD_FACTOR
        if self._stretch.last == "\n" and chance.random() < THINKING_SHARE:
            gap += chance.uniform(*THINKING_S)
        text = _with_indentation(self._stretch.left)
        # What depends on the place alone would go wrong there again and again.
        is_first = (self._at, self._stretch.done) not in self._mistyped
        if text.isalpha() and chance.random() < TYPO_SHARE and is_first:
            text = "q" if text != "q" else "w"
        return Key(gap, text)

    def press(self, key: Key) -> None:
        """Take in what was typed."""
        if self._typo or key.erased:
            self._typo = ""
        elif self._stretch.left.startswith(key.text):
            self._stretch.done += len(key.text)
        else:
            self._typo = key.text
            self._mistyped.add((self._at, self._stretch.done))

    def goes_on_with(self, suggestion: str) -> bool:
        """Whether this is what would be typed."""
        return not self._typo and self._stretch.left.startswith(suggestion)

    def jump(self) -> None:
        """Go to the other stretch."""
        self._at, self._typo = 1 - self._at, ""

    @property
    def _stretch(self) -> Stretch:
        return self._stretches[self._at]


def _with_indentation(left: str) -> str:
    """The next character; a line end comes with the indentation that an editor puts behind it."""
    if not left.startswith("\n"):
        return left[:1]
    return left[: len(left) - len(left.lstrip())]
