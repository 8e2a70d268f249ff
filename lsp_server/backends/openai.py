"""Engines that speak OpenAI's completions over HTTP: vLLM, TGI, llama-server, Ollama and the like.

The engine sees only text, so it cannot be made to heal the cursor. Waiting for it happens on an event loop
that runs inside the generator, a moment at a time: between two moments whoever pulls can leave, even while
the engine reads the prompt, and leaving closes the connection, upon which engines stop computing.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import aclosing, closing
from typing import Any, TypeVar

from lsp_server.backends.base import FinishReason, GenerationRequest, LoadedModel, OnProgress, Report
from lsp_server.backends.endpoint import Chunk, Endpoint, RejectedError
from lsp_server.backends.stream import Pieces, until_stop_string
from lsp_server.completion.item import Usage
from lsp_server.errors import BackendError, ModelLoadError
from lsp_server.settings import Settings

Item = TypeVar("Item")

TICK_S = 0.02
"""How long to wait for the engine between two chances to leave."""
MOST_STOPS = 4
"""How many stop strings the protocol takes."""


class OpenAiBackend:
    """Asks one engine.

    Args:
        settings: ``openai``, ``deadline_ms``, ``context_tokens`` and ``max_new_tokens`` are read.
    """

    name = "openai"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._model = settings.openai.model
        self._connection: _Connection | None = None
        self._asks_usage = True

    def load(self, on_progress: OnProgress) -> LoadedModel:
        """Reach the engine and find out what it serves.

        Raises:
            ModelLoadError: the settings do not say what to ask, or the engine serves nothing.
            EndpointError: the engine does not answer as it should.
        """
        settings = self._settings
        endpoint = Endpoint(_base_url(settings), _key(settings), settings.deadline_ms / 1000)
        self._connection = _Connection(endpoint)
        served = self._connection.run(self._served(endpoint))
        if not self._model:
            if not served:
                message = f"The engine at {endpoint.address} lists no model; openai.model must name one."
                raise ModelLoadError(message)
            self._model = str(served[0]["id"])
        found = next((model for model in served if model.get("id") == self._model), {})
        on_progress(1.0)
        return LoadedModel(self._model, endpoint.address, self._context_tokens(found), None, heals=False)

    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        """Yield pieces of text; see ``Backend.generate``.

        Raises:
            ValueError: the request wants the cursor healed.
            BackendError: the engine does not answer as it should.
        """
        if request.healed:
            raise ValueError("an HTTP engine cannot heal the cursor")
        if self._connection is None:
            raise BackendError("The engine was not reached yet.")
        pieces = self._pieces(self._connection, request, report)
        yield from until_stop_string(pieces, request.stop_strings, report)

    def close(self) -> None:
        """Close the connections."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    async def _served(self, endpoint: Endpoint) -> list[dict[str, Any]]:
        try:
            return await endpoint.models()
        except RejectedError as error:
            # Some engines serve one model and no list of it.
            if self._model and error.status == 404:
                return []
            raise

    def _context_tokens(self, served: dict[str, Any]) -> int:
        """The engine's bound where it tells one (vLLM, llama-server), else as much as we shall ask of it."""
        details = served.get("meta") or {}
        bound = served.get("max_model_len") or details.get("n_ctx") or details.get("n_ctx_train")
        return int(bound or self._settings.prompt_tokens("") + self._settings.max_new_tokens)

    def _pieces(self, connection: _Connection, request: GenerationRequest, report: Report) -> Pieces:
        texts, ending, usage = 0, None, None
        try:
            with closing(connection.pull(self._chunks(connection.endpoint, request))) as chunks:
                for chunk in chunks:
                    if chunk is None:
                        yield ""
                        continue
                    texts += bool(chunk.text)
                    ending, usage = chunk.finish_reason or ending, chunk.usage or usage
                    yield chunk.text
            report.finish_reason = FinishReason.LENGTH if ending == "length" else FinishReason.STOP
        finally:
            # Engines send a token an event, so the events are as good a count as there is without theirs.
            report.usage = usage or Usage(completion_tokens=texts)

    async def _chunks(self, endpoint: Endpoint, request: GenerationRequest) -> AsyncGenerator[Chunk, None]:
        """The engine's answer; engines that do not know how to count are asked again without."""
        body = _body(self._model, request)
        if self._asks_usage:
            try:
                async with aclosing(endpoint.completion(body | _WITH_USAGE)) as chunks:
                    async for chunk in chunks:
                        yield chunk
                return
            except RejectedError as error:
                if error.status not in (400, 422):
                    raise
        async with aclosing(endpoint.completion(body)) as chunks:
            async for chunk in chunks:
                self._asks_usage = False
                yield chunk


_WITH_USAGE = {"stream_options": {"include_usage": True}}


def _body(model: str, request: GenerationRequest) -> dict[str, Any]:
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": model,
        "prompt": request.text or "\n",  # vLLM refuses an empty prompt
        "max_tokens": sampling.max_new_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "stream": True,
    }
    if request.stop_strings:
        body["stop"] = list(request.stop_strings[:MOST_STOPS])
    return body


def _base_url(settings: Settings) -> str:
    url = settings.openai.base_url
    if not url.startswith(("http://", "https://")):
        message = f"The setting openai.baseUrl must begin with http:// or https://, and not be {url!r}."
        raise ModelLoadError(message)
    return url


def _key(settings: Settings) -> str:
    variable = settings.openai.api_key_env
    if variable and not os.environ.get(variable):
        message = f"The setting openai.apiKeyEnv names the variable {variable}, which is not set."
        raise ModelLoadError(message)
    return os.environ.get(variable, "") if variable else ""


class _Connection:
    """An engine and the event loop on which it is waited for; runs only while something is pulled."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)

    def run(self, work: Coroutine[Any, Any, Item]) -> Item:
        """Wait for work to be done."""
        return self._runner.run(work)

    def pull(self, stream: AsyncGenerator[Item, None]) -> Generator[Item | None, None, None]:
        """The items of a stream, and None each time that ``TICK_S`` pass without one."""
        step: asyncio.Task[Item | None] | None = None
        try:
            while True:
                step = self._runner.get_loop().create_task(_next(stream))
                while not self.run(_done_soon(step)):
                    yield None
                if (item := step.result()) is None:
                    return
                yield item
        finally:
            self.run(_leave(stream, step))

    def close(self) -> None:
        """Close the connections, and the loop."""
        self.run(self.endpoint.aclose())
        self._runner.close()


async def _next(stream: AsyncGenerator[Item, None]) -> Item | None:
    return await anext(stream, None)


async def _done_soon(step: asyncio.Task[Any]) -> bool:
    done, _pending = await asyncio.wait({step}, timeout=TICK_S)
    return bool(done)


async def _leave(stream: AsyncGenerator[Any, None], step: asyncio.Task[Any] | None) -> None:
    """Close a stream that may still be waiting for its next item."""
    if step is not None:
        step.cancel()
        await asyncio.wait({step})
    await stream.aclose()
