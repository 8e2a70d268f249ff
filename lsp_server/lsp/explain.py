"""``fim-ls.explain``: why the last request of a document gave what it gave, and what it repeats."""
# Annotations are not postponed here: pygls looks at those of handlers at run time.

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pygls.uris import to_fs_path

from lsp_server.completion.repeats import Repeat, by_length, longest_repeat
from lsp_server.completion.trigger import is_disabled
from lsp_server.lsp.session import FimServer
from lsp_server.settings import camel
from lsp_server.workspace import sources


async def explain(ls: FimServer, *arguments: Any) -> dict[str, Any] | None:
    """Why the last request of a document gave what it gave, stage by stage; never any source text.

    ``repeats`` names the files, open or in the project's folder, of which a suggestion repeats 50
    characters or more word for word.
    """
    last = ls.completer.explain(str(arguments[0])) if arguments else None
    if last is None:
        return None
    texts = [suggestion.text for suggestion in last.suggestions]
    repeats = await _repeats(ls, str(arguments[0]), texts) if texts else []
    return {
        "finishReason": last.finish_reason,
        "droppedBy": last.dropped_by,
        "usage": {camel(name): count for name, count in dataclasses.asdict(last.usage).items()},
        "timings": dataclasses.asdict(last.timings),
        "stages": [dataclasses.asdict(stage) for stage in last.stages],
        "repeats": [dataclasses.asdict(repeat) for repeat in repeats],
    }


async def _repeats(ls: FimServer, uri: str, texts: Sequence[str]) -> list[Repeat]:
    """What the texts repeat of other files; an open one counts as the editor shows it."""
    seen, found = {_path(uri)}, []
    for document in ls.protocol.documents.all():
        path = _path(document.uri)
        if path not in seen and not is_disabled(path, ls.completer.settings):
            seen.add(path)
            found.append(longest_repeat(texts, path, str(document.text)))
    if ls.root is not None:
        for file, source in sources(ls.root, ls.completer.settings):
            if str(file) not in seen:
                found.append(longest_repeat(texts, str(file), source))
            await asyncio.sleep(0)  # typing goes on meanwhile
    return by_length(found)


def _path(uri: str) -> str:
    """The path of a file as the project's folder names it; other documents go by their URI."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return uri if path is None else str(Path(path))
