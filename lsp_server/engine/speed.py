"""How fast a model is on this machine, and what can be asked of it in the time that users wait."""

from __future__ import annotations

FIRST_ANSWER_S = 0.7
"""In this time a place is to be read that the model has not seen."""
WINDOWS_TOKENS = (256, 384, 512, 768, 1024)
"""Budgets of a prompt. They are few, since with another budget the model has to read all of a prompt anew."""
UNKNOWN_WINDOW_TOKENS = 512
CLEARLY = 0.75
"""Another window is taken if the speed has changed by so much; else it could go to and fro."""
LONGEST_WRITING_S = 2.0
LEAST_NEW_TOKENS = 16
TELLING_TOKENS = {"read": 64, "written": 8}
"""Fewer say little."""
NEWEST_SHARE = 0.2
"""What a measurement counts beside those before it."""


class Speed:
    """What was measured while the model worked; only its thread tells and asks.

    Attributes:
        read_per_s: tokens of prompts that are read in a second; None while that is not known.
        write_s: seconds for each token that is written; None while that is not known.
        window_tokens: the budget of a prompt that is read in the time that users wait.
    """

    def __init__(self) -> None:
        self.read_per_s: float | None = None
        self.write_s: float | None = None
        self.window_tokens = UNKNOWN_WINDOW_TOKENS

    def took_to_read(self, tokens: int, seconds: float) -> None:
        """It took so long to read what was new of a prompt."""
        if tokens < TELLING_TOKENS["read"] or seconds <= 0:
            return
        before = self.read_per_s
        self.read_per_s = _mean(before, tokens / seconds)
        fits = self.read_per_s * FIRST_ANSWER_S
        if before is None or fits < CLEARLY * self.window_tokens:
            self.window_tokens = _window(fits)
        else:
            self.window_tokens = max(self.window_tokens, _window(CLEARLY * fits))

    def took_to_write(self, tokens: int, seconds: float) -> None:
        """It took so long to write tokens, the prompt not counted."""
        if tokens >= TELLING_TOKENS["written"] and seconds > 0:
            self.write_s = _mean(self.write_s, seconds / tokens)

    def new_tokens(self, bound: int) -> int:
        """How many tokens are written in the time that is worth waiting for, ``bound`` at most."""
        if self.write_s is None:
            return bound
        return min(bound, max(LEAST_NEW_TOKENS, int(LONGEST_WRITING_S / self.write_s)))


def _mean(before: float | None, newest: float) -> float:
    return newest if before is None else (1 - NEWEST_SHARE) * before + NEWEST_SHARE * newest


def _window(tokens: float) -> int:
    """The largest window of so many tokens, or the least one."""
    return max((window for window in WINDOWS_TOKENS if window <= tokens), default=WINDOWS_TOKENS[0])
