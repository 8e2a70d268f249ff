"""The reference: llama.cpp's own HTTP server, and a plugin that drives it as llama.vim does.

What is shown comes from the answers there were, where what was typed since is how one of them begins. If
none fits, the server is asked 75 ms after a key that no other follows, and what was asked before is given up.
Where plugins differ, what is faster for the reference is done: the answer is streamed, since the server
notices only then at once that it was given up; its text is chosen greedily, by the cheapest sampler there
is; the window steps as ours does, so that its prompt cache is of use; nothing is asked along an answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from pathlib import Path
from typing import Any, Literal

import httpx
from suggesters import Costs, OnAnswer, process_costs
from typing_events import Key, Place

from lsp_server.completion.context import counter, select_window
from lsp_server.completion.document import Document
from lsp_server.completion.fim import FORMATS, FimPrompt
from lsp_server.models import gguf
from lsp_server.models.tokenizer import GgufTokenizer
from lsp_server.settings import Settings

Order = Literal["psm", "spm"]

DEBOUNCE_S = 0.075
PREDICT_MS = 250
"""After so long the server ends an answer that has come to a second line, as llama.vim has it do."""
POLLING_S = 0.05
MOST_ANSWERS, LOOK_BACK = 250, 128
FORM = FORMATS["smollm2-spm"]
SUFFIX, PREFIX, MIDDLE = "<issue_start>", "<issue_comment>", "<issue_closed>"


class Reference:
    """One server, and the plugin that asks it for prompts in one order."""

    def __init__(
        self, order: Order, server: asyncio.subprocess.Process, address: str, tokenizer: GgufTokenizer
    ) -> None:
        self.name = f"llama.cpp's server, {order.upper()}"
        self._order = order
        self._server = server
        # A connection for each request, as a plugin that calls curl has: the server closes idle ones.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.AsyncClient(base_url=address, timeout=60, limits=limits)
        self._tokenizer = tokenizer
        self._count = counter(tokenizer)
        self._settings = Settings()
        self._answers: deque[tuple[str, str, str]] = deque(maxlen=MOST_ANSWERS)
        self._resting: asyncio.Future[None] | None = None
        self._asking: asyncio.Future[None] | None = None
        self._shown: tuple[Place, OnAnswer] | None = None
        self._tokens_shown = 0

    @classmethod
    async def start(cls, order: Order, model: Path, threads: int | None = None) -> Reference:
        """Start the server and wait until it listens; it writes with so many threads."""
        command = [sys.executable, str(Path(__file__).with_name("reference_server.py")), str(model)]
        command += [] if threads is None else [str(threads)]
        server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert server.stdout is not None
        address = (await server.stdout.readline()).decode().strip()
        return cls(order, server, address, GgufTokenizer(gguf.read(model)))

    def open(self, place: Place) -> None:
        """It reads no files, only prompts."""

    def close(self) -> None:
        for future in (self._resting, self._asking):
            if future is not None:
                future.cancel()
        self._shown = None

    def ask(self, place: Place, key: Key | None, on_answer: OnAnswer) -> None:
        if self._resting is not None:
            self._resting.cancel()
        self._shown = place, on_answer
        if not self._show_remembered():
            self._resting = asyncio.ensure_future(self._ask_rested(place))

    async def costs(self) -> Costs:
        while (counts := await self._counts())["requests_processing"]:
            await asyncio.sleep(POLLING_S)  # what was just given up
        read, written = counts["prompt_tokens_total"], counts["tokens_predicted_total"]
        return Costs(int(read), int(written), self._tokens_shown, *process_costs(self._server.pid))

    async def stop(self) -> None:
        await self._http.aclose()
        self._server.kill()
        await self._server.wait()

    def _show_remembered(self) -> bool:
        """Show what is left of an answer for the text as it stands; False if there is none."""
        if self._shown is None:
            return False
        place, on_answer = self._shown
        before, after = place.halves
        left = [
            (start + text).removeprefix(before)
            for start, end, text in self._answers
            if len(start) <= len(before) <= len(start) + LOOK_BACK
            and end == after
            and (start + text).startswith(before)
            and (len(start) == len(before) or len(start + text) > len(before))
        ]
        if left:
            text = max(left, key=len)
            on_answer(text if text.strip() else None)
        return bool(left)

    async def _ask_rested(self, place: Place) -> None:
        await asyncio.sleep(DEBOUNCE_S)
        if self._asking is not None:
            self._asking.cancel()
        self._asking = asyncio.ensure_future(self._answer(place))

    async def _answer(self, place: Place) -> None:
        before, after = place.halves
        line = before[before.rfind("\n") + 1 :]
        # A line of white space is begun anew, and what is typed of it is taken off the answer.
        typed = line if line.isspace() else ""
        text, written = await self._read(self._body(place.path, before.removesuffix(typed), after))
        lead = len(text) - len(text.lstrip(" \t"))
        self._answers.append((before, after, text[min(lead, len(typed)) :].rstrip("\n")))
        if self._show_remembered():
            self._tokens_shown += written
            if self._resting is not None:
                self._resting.cancel()

    def _body(self, path: str, before: str, after: str) -> dict[str, Any]:
        line = before[before.rfind("\n") + 1 :]
        return {
            "prompt": self._prompt_ids(self._window(path, before, after)),
            "n_predict": self._settings.max_new_tokens,
            "n_indent": len(line) - len(line.lstrip()),
            "t_max_predict_ms": PREDICT_MS,
            "samplers": ["top_k"],
            "top_k": 1,
            "cache_prompt": True,
            "stream": True,
        }

    def _window(self, path: str, before: str, after: str) -> FimPrompt:
        snapshot = Document(f"file://{path}", "python", before + after).at_offset(len(before))
        return select_window(snapshot, FORM, self._settings.prompt_tokens("cpu"), self._count).prompt

    def _prompt_ids(self, prompt: FimPrompt) -> list[int]:
        """The plain prompt, without healing."""
        suffix, prefix, middle = (self._tokenizer.special_id(piece) for piece in (SUFFIX, PREFIX, MIDDLE))
        assert suffix is not None
        assert prefix is not None
        assert middle is not None
        before, after = self._tokenizer.encode(prompt.prefix), self._tokenizer.encode(prompt.suffix)
        if self._order == "spm":
            return [suffix, *after, prefix, *before]
        return [prefix, *before, suffix, *after, middle]

    async def _read(self, body: dict[str, Any]) -> tuple[str, int]:
        """The answer and how many tokens it has."""
        text, written = "", 0
        async with self._http.stream("POST", "/completion", json=body) as reply:
            reply.raise_for_status()
            async for line in reply.aiter_lines():
                if line.startswith("data: {"):
                    event = json.loads(line.removeprefix("data: "))
                    written += not event["stop"]
                    text += event["content"]
        return text, written

    async def _counts(self) -> dict[str, float]:
        """The server's own counts, which include what it did for requests that were given up."""
        lines = (await self._http.get("/metrics")).text.splitlines()
        pairs = (line.removeprefix("llamacpp:").split() for line in lines if line.startswith("llamacpp:"))
        return {name: float(value) for name, value in pairs}
