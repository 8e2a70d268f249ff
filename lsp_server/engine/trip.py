"""One request for a completion on its way."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field, replace

from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Completion, Stage, Suggestion, Timings, Usage
from lsp_server.completion.trigger import Ask

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Trip:
    """What is asked for, and what is noted on the way to the answer.

    Attributes:
        ended: done when a newer request for the document has taken its place.
        started: on the monotonic clock, in seconds.
    """

    snapshot: Snapshot
    ask: Ask
    usage: Usage = field(default_factory=Usage)
    timings: Timings = field(default_factory=Timings)
    stages: list[Stage] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    ended: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def age_s(self) -> float:
        """How long ago it began, in seconds."""
        return time.monotonic() - self.started

    def end(self) -> None:
        """A newer one took its place."""
        if not self.ended.done():
            self.ended.set_result(None)

    def note(self, stage: str, outcome: str) -> None:
        """Write down what a stage did."""
        self.stages.append(Stage(stage, outcome))

    def arrive(
        self,
        name: str,
        reason: str,
        suggestions: tuple[Suggestion, ...],
        dropped_by: str | None,
        error: str | None,
    ) -> Completion:
        """The answer; logs how it went, never what was read or written.

        Args:
            name: the id of the answer.
            reason: why the generation ended, or how it was spared.
            suggestions: best first.
            dropped_by: the rule or filter that left nothing.
            error: one sentence, if it failed.
        """
        self.note("end", error or dropped_by or reason)
        timings = replace(self.timings, total=1000 * self.age_s)
        completion = Completion(
            suggestions, reason, dropped_by, self.usage, timings, tuple(self.stages), name
        )
        logger.info(
            "completion %s: %d suggestions, %s, dropped by %s, %.0f ms, %d + %d tokens, %d of them cached",
            name,
            len(suggestions),
            reason,
            dropped_by,
            timings.total,
            self.usage.prompt_tokens,
            self.usage.completion_tokens,
            self.usage.cached_tokens,
        )
        return completion
