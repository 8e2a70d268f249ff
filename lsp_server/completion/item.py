"""What comes out: suggestions, and why there are none."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Suggestion:
    r"""One text to insert at the cursor.

    Attributes:
        text: what is inserted, ``\n`` line ends.
        replaces: how many code points after the cursor, on the cursor line, it takes the place of.
        replaces_before: how many code points before the cursor it takes the place of; not 0 only
            where it spells out an item that is selected in the editor's own list.
    """

    text: str
    replaces: int = 0
    replaces_before: int = 0


@dataclass(frozen=True)
class Usage:
    """Tokens of one generation: of the prompt as far as it was read, of these in the cache, generated."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.cached_tokens + other.cached_tokens,
            self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True)
class Timings:
    """Milliseconds of one completion: waiting for the model, reading the prompt, writing, all of it."""

    queue: float = 0.0
    prefill: float = 0.0
    decode: float = 0.0
    total: float = 0.0


@dataclass(frozen=True)
class Stage:
    """One step of the journey, for ``fim-ls.explain``: its name and, in a few words, what it did."""

    name: str
    outcome: str


@dataclass(frozen=True)
class Completion:
    """The answer to one request.

    Attributes:
        suggestions: best first; empty when there is nothing to suggest.
        finish_reason: why the generation ended (``stop``, ``length``, …), or how it was spared
            (``skipped``, ``cached``, ``superseded``, ``cancelled``, ``failed``), or ``partial`` while
            it goes on.
        dropped_by: the rule or filter that left nothing, or None.
        stages: what each stage did, in order. Never holds source text.
        id: names this completion in what the editor tells of it later; opaque.
    """

    suggestions: tuple[Suggestion, ...] = ()
    finish_reason: str = "stop"
    dropped_by: str | None = None
    usage: Usage = field(default_factory=Usage)
    timings: Timings = field(default_factory=Timings)
    stages: tuple[Stage, ...] = ()
    id: str = ""
