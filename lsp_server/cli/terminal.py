"""The terminal: one completion with its progress, and ghost text drawn as an editor would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, Group
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from lsp_server.cli.leave import let_go
from lsp_server.completer import Completer, OnDraft
from lsp_server.completion.document import Snapshot
from lsp_server.completion.item import Completion, Suggestion
from lsp_server.completion.trigger import Ask
from lsp_server.engine.engine import Engine
from lsp_server.engine.job import State, Status
from lsp_server.engine.loading import choose_backend
from lsp_server.errors import ModelError
from lsp_server.models.identity import Identity
from lsp_server.settings import Settings

GHOST_STYLE = "italic bright_black"


@dataclass(frozen=True)
class Answer:
    """A completion, and the model that gave it."""

    completion: Completion
    model: str
    device: str
    memory_bytes: int | None = None
    identity: Identity | None = None


def complete_once(
    settings: Settings, snapshot: Snapshot, ask: Ask, on_draft: OnDraft | None = None
) -> Answer:
    """Load the model, ask it once, and let it go.

    Raises:
        ModelError: the model could not be loaded, or failed.
    """
    return complete_all(settings, [(snapshot, ask)], on_draft)[0]


def complete_all(
    settings: Settings, questions: list[tuple[Snapshot, Ask]], on_draft: OnDraft | None = None
) -> list[Answer]:
    """Load the model, ask it one question after the other, and let it go.

    Raises:
        UnknownModelError: there is no such model.
        ModelError: the model could not be loaded, or failed.
    """
    choose_backend(settings)  # what cannot be asked at all is told before anything is shown
    with _progress() as show:
        return asyncio.run(_complete_all(settings, questions, show, on_draft))


async def _complete_all(
    settings: Settings, questions: list[tuple[Snapshot, Ask]], show: _Show, on_draft: OnDraft | None
) -> list[Answer]:
    engine = Engine(settings)
    completer = Completer(engine, settings)
    unsubscribe = engine.subscribe(show.status)
    answers = []
    try:
        for snapshot, ask in questions:
            completion = await completer.complete(snapshot, ask, on_draft)
            if completion.finish_reason == "failed":
                raise ModelError(completion.stages[-1].outcome)
            status = engine.status
            answers.append(
                Answer(completion, status.model, status.device, status.memory_bytes, status.identity)
            )
    finally:
        unsubscribe()
        let_go(engine)
    return answers


class _Show:
    """Draws a bar while the model is fetched, and says what is told of it; called on the worker's thread."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("Fetching the model", total=1.0, visible=False)
        self._told = ""

    def status(self, status: Status) -> None:
        loading = status.state is State.LOADING and status.progress is not None
        if loading and status.message not in ("", self._told):
            self._told = status.message
            self._progress.console.print(status.message, soft_wrap=True, highlight=False, markup=False)
        self._progress.update(self._task, completed=status.progress or 0.0, visible=loading)
        if status.state is not State.LOADING:  # what is drawn from now on must not be drawn over
            self._progress.stop()


@contextmanager
def _progress() -> Iterator[_Show]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield _Show(progress)


def draw(snapshot: Snapshot, suggestion: Suggestion | None, console: Console, lines_around: int = 12) -> None:
    """Print the lines around the cursor with the suggestion as ghost text in its place."""
    for line in _lines(snapshot, suggestion, lines_around):
        console.print(line, soft_wrap=True)


def drawing(snapshot: Snapshot, suggestion: Suggestion | None, lines_around: int) -> Group:
    """What ``draw`` prints, to be drawn over again."""
    return Group(*_lines(snapshot, suggestion, lines_around))


def _lines(snapshot: Snapshot, suggestion: Suggestion | None, lines_around: int) -> Iterator[Text]:
    first = max(0, snapshot.line - lines_around)
    head = "".join(line + "\n" for line in snapshot.document.lines[first : snapshot.line])
    text = Text(head + snapshot.line_prefix)
    if suggestion is not None:
        text.append(suggestion.text, style=GHOST_STYLE)
    rest = snapshot.line_suffix[suggestion.replaces if suggestion else 0 :]
    text.append("\n".join((rest, *snapshot.lines_below[:lines_around])).rstrip("\n"))
    for number, line in enumerate(text.split("\n", allow_blank=True), first + 1):
        yield Text().append(f"{number:>5} ", "dim").append_text(line)
