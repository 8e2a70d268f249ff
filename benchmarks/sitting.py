"""A typist at work with one program, and what is noted of it."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from suggesters import Costs, Suggester
from typing_events import Key, Place

KEYS = 150
READING_S = 0.35
"""A suggestion is accepted no sooner."""
LEAST_ACCEPTED = 3
"""Characters; fewer are typed faster than they are read."""


@dataclass(frozen=True)
class Wait:
    """A key and how long it waited.

    Attributes:
        ms: until there was a suggestion, infinite if none came.
        since_s: how long the typist had been there when it was pressed, in seconds.
    """

    ms: float
    since_s: float


@dataclass
class Screen:
    """What the typist sees, and which keys wait for it.

    Attributes:
        waits: of each key.
        first_ms: after each arrival, how long it took until there was a suggestion, infinite if none came.
        shown: what is suggested for the text as it stands.
        accepted: the characters of each suggestion that was.
    """

    waits: list[Wait] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    shown: str | None = None
    accepted: list[int] = field(default_factory=list)
    _arrived: float = 0.0
    _is_first: bool = False
    _waiting: list[float] = field(default_factory=list)
    _readable_since: float | None = None

    def arrive(self) -> None:
        """The typist comes to a place that the program has not seen, or not for a while."""
        self._arrived, self._is_first = time.monotonic(), True

    def press(self) -> None:
        """A key was pressed: what was shown does not count any more."""
        self._waiting.append(time.monotonic())
        self.shown = None

    def show(self, place: Place, text: str | None) -> None:
        """An answer for the text as it stands."""
        self.shown = text
        if text:
            self._end_waiting(time.monotonic())
        if not (text and place.goes_on_with(text) and len(text.strip()) >= LEAST_ACCEPTED):
            self._readable_since = None
        elif self._readable_since is None:
            self._readable_since = time.monotonic()

    def leave(self) -> None:
        """The typist goes elsewhere."""
        self._end_waiting(math.inf)
        self.shown = self._readable_since = None

    @property
    def is_read(self) -> bool:
        """Whether what is shown is right, and was there for long enough."""
        since = self._readable_since
        return self.shown is not None and since is not None and time.monotonic() - since >= READING_S

    def accept(self) -> str:
        """What is shown, which stands in the file now."""
        text, self.shown, self._readable_since = self.shown or "", None, None
        self.accepted.append(len(text))
        return text

    def _end_waiting(self, now: float) -> None:
        self.waits += [Wait(1000 * (now - since), since - self._arrived) for since in self._waiting]
        self._waiting.clear()
        if self._is_first:
            self.first_ms.append(1000 * (now - self._arrived))
            self._is_first = False


@dataclass
class Sitting:
    """One program, and all that was seen of it so far."""

    suggester: Suggester
    screen: Screen = field(default_factory=Screen)
    costs: list[Costs] = field(default_factory=list)

    async def type_at(self, place: Place) -> None:
        """Press the keys of a place."""
        before = await self.suggester.costs()
        self.suggester.open(place)
        self._arrive(place)
        for number in range(KEYS):
            if number == KEYS // 2:
                self.screen.leave()
                place.jump()
                self._arrive(place)
            await self._press(place)
        self.screen.leave()
        self.suggester.close()
        self.costs.append((await self.suggester.costs()).since(before))

    def numbers(self) -> dict[str, Any]:
        """All that was noted, for a file; what never came is null."""
        return {
            "name": self.suggester.name,
            "waits": [[_finite(wait.ms), wait.since_s] for wait in self.screen.waits],
            "first_ms": [_finite(ms) for ms in self.screen.first_ms],
            "accepted": self.screen.accepted,
            "costs": [asdict(cost) for cost in self.costs],
        }

    def take(self, numbers: dict[str, Any]) -> None:
        """Go on from what was noted before."""
        self.screen.waits = [Wait(_or_never(ms), since_s) for ms, since_s in numbers["waits"]]
        self.screen.first_ms = [_or_never(ms) for ms in numbers["first_ms"]]
        self.screen.accepted = numbers["accepted"]
        self.costs = [Costs(**cost) for cost in numbers["costs"]]

    def _arrive(self, place: Place) -> None:
        self.screen.arrive()
        self._ask(place, None)

    async def _press(self, place: Place) -> None:
        key = place.key
        await asyncio.sleep(key.gap_s)
        if self.screen.is_read:
            key = Key(0, self.screen.accept())
        place.press(key)
        self.screen.press()
        self._ask(place, key)

    def _ask(self, place: Place, key: Key | None) -> None:
        self.suggester.ask(place, key, lambda text: self.screen.show(place, text))


def _finite(ms: float) -> float | None:
    return ms if math.isfinite(ms) else None


def _or_never(ms: float | None) -> float:
    return math.inf if ms is None else ms
