"""The terminal: one completion with its progress, and ghost text drawn as an editor would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from lsp_server.cli.leave import let_go
from lsp_server.completer import Completer
from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Completion, Suggestion
from lsp_server.completion.trigger import Ask
from lsp_server.engine.engine import Engine
from lsp_server.engine.job import State, Status
from lsp_server.engine.loading import choose_backend
from lsp_server.errors import ModelError
from lsp_server.settings import Settings

GHOST_STYLE = "italic bright_black"


@dataclass(frozen=True)
class Answer:
    """A completion, and the model that gave it."""

    completion: Completion
    model: str
    device: str


def complete_once(settings: Settings, snapshot: Snapshot, ask: Ask) -> Answer:
    """Load the model, ask it once, and let it go.

    Raises:
        ModelError: the model could not be loaded, or failed.
    """
    return complete_all(settings, [(snapshot, ask)])[0]


def complete_all(settings: Settings, questions: list[tuple[Snapshot, Ask]]) -> list[Answer]:
    """Load the model, ask it one question after the other, and let it go.

    Raises:
        UnknownModelError: there is no such model.
        ModelError: the model could not be loaded, or failed.
    """
    choose_backend(settings)  # what cannot be asked at all is told before anything is shown
    with _progress() as show:
        return asyncio.run(_complete_all(settings, questions, show))


async def _complete_all(
    settings: Settings, questions: list[tuple[Snapshot, Ask]], show: _Show
) -> list[Answer]:
    engine = Engine(settings)
    completer = Completer(engine, settings)
    unsubscribe = engine.subscribe(show.status)
    answers = []
    try:
        for snapshot, ask in questions:
            completion = await completer.complete(snapshot, ask)
            if completion.finish_reason == "failed":
                raise ModelError(completion.stages[-1].outcome)
            answers.append(Answer(completion, engine.status.model, engine.status.device))
    finally:
        unsubscribe()
        let_go(engine)
    return answers


class _Show:
    """Draws a bar while the model is fetched; called on the worker's thread."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("Fetching the model", total=1.0, visible=False)

    def status(self, status: Status) -> None:
        loading = status.state is State.LOADING and status.progress is not None
        self._progress.update(self._task, completed=status.progress or 0.0, visible=loading)


@contextmanager
def _progress() -> Iterator[_Show]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Show(progress)


def draw(snapshot: Snapshot, suggestion: Suggestion | None, console: Console, lines_around: int = 12) -> None:
    """Print the lines around the cursor with the suggestion as ghost text in its place."""
    first = max(0, snapshot.line - lines_around)
    head = "".join(line + "\n" for line in snapshot.document.lines[first : snapshot.line])
    text = Text(head + snapshot.line_prefix)
    if suggestion is not None:
        text.append(suggestion.text, style=GHOST_STYLE)
    rest = snapshot.line_suffix[suggestion.replaces if suggestion else 0 :]
    text.append("\n".join((rest, *snapshot.lines_below[:lines_around])).rstrip("\n"))
    for number, line in enumerate(text.split("\n", allow_blank=True), first + 1):
        console.print(Text().append(f"{number:>5} ", "dim").append_text(line), soft_wrap=True)
