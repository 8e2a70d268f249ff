"""A suggestion shown while it is written; what is left in the end is what ``complete`` suggests."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live

from lsp_server.cli.terminal import draw, drawing
from lsp_server.completion.document import Snapshot
from lsp_server.completion.draft import Draft
from lsp_server.completion.item import Completion
from lsp_server.errors import BackendError


class Stream(Protocol):
    """Where a suggestion is shown while it is written; a context manager."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing behind that is not final."""
        ...

    def take(self, draft: Draft) -> None:
        """Show what there is."""
        ...

    def end(self, completion: Completion) -> None:
        """Show what is suggested."""
        ...


def stream(snapshot: Snapshot) -> Stream:
    """How to show a suggestion at this place: drawn in a terminal, as bare text anywhere else."""
    console = Console()
    return TerminalStream(snapshot, console) if console.is_terminal else PipeStream()


class TerminalStream:
    """Draws the text in its place, anew with each piece; at the end the suggestion is drawn for good."""

    def __init__(self, snapshot: Snapshot, console: Console) -> None:
        self._snapshot = snapshot
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        """Wait for the first piece before anything is drawn."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Take the drawing away."""
        self._live.stop()

    def take(self, draft: Draft) -> None:
        """Draw what would be suggested if the model ended here, with some lines around it."""
        self._live.start()
        around = max(1, self._console.height // 4)
        self._live.update(drawing(self._snapshot, draft.suggestion, around), refresh=True)

    def end(self, completion: Completion) -> None:
        """Draw the suggestion, or say why there is none."""
        self._live.stop()
        draw(self._snapshot, completion.suggestions[0] if completion.suggestions else None, self._console)
        if not completion.suggestions:
            self._console.print(nothing(completion))


class PipeStream:
    """Prints the text alone, line by line once nothing can take a line back, and a line end."""

    def __init__(self) -> None:
        self._printed = ""

    def __enter__(self) -> Self:
        """Nothing is to be done."""
        return self

    def __exit__(self, *_error: object) -> None:
        """End the line that is begun."""
        if self._printed:
            with suppress(BrokenPipeError):
                print(flush=True)

    def take(self, draft: Draft) -> None:
        """Print the lines that are settled now."""
        # Whoever read them may have gone; the last line will find that out where it can be told.
        with suppress(BrokenPipeError):
            self._print(draft.settled)

    def end(self, completion: Completion) -> None:
        """Print the rest of the suggestion.

        Raises:
            BackendError: there is none, or another one, although lines of it were printed.
        """
        text = completion.suggestions[0].text if completion.suggestions else ""
        if not text.startswith(self._printed):
            message = f"The lines above are not to be used: they end in what {completion.dropped_by} drops."
            raise BackendError(message)
        self._print(text)
        if not completion.suggestions:
            print(nothing(completion), file=sys.stderr)

    def _print(self, text: str) -> None:
        if len(text) > len(self._printed):
            print(text[len(self._printed) :], end="", flush=True)
            self._printed = text


def nothing(completion: Completion) -> str:
    """The sentence that says why nothing is suggested."""
    return f"Nothing to suggest ({completion.dropped_by or completion.finish_reason})."
