"""An HTTP engine that serves OpenAI's completions: requests, stream, and failures in one sentence each.

No sentence holds the key or text of the prompt: some engines repeat what they were sent when they refuse it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lsp_server.completion.item import Usage
from lsp_server.errors import EndpointError

CONNECT_S = 5.0
"""How long an engine may take to accept a connection."""
KEEP_ALIVE_S = 3.0
"""How long an idle connection is kept; less than the 5 s after which uvicorn, and so vLLM, closes it."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MESSAGE_CHARACTERS = 200
_SHARED_CHARACTERS = 12
"""What a message and a prompt must have in common for the message to be taken as a repetition of it."""


@dataclass(frozen=True)
class Chunk:
    """One event of a streamed completion."""

    text: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None


class RejectedError(EndpointError):
    """The engine understood and refused the request; ``status`` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Endpoint:
    """One engine and the pool of connections to it; belongs to one event loop.

    Args:
        base_url: with http or https, usually ending in ``/v1``.
        key: sent as a bearer token; empty for engines that want none.
        deadline_s: how long the engine may stay silent, in seconds.
    """

    def __init__(self, base_url: str, key: str, deadline_s: float) -> None:
        import httpx

        url = httpx.URL(base_url)
        self.address = str(url.copy_with(username=None, password=None)).rstrip("/")
        self._key = key
        self._silence = f"was silent for {deadline_s:g} s"
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(deadline_s, connect=CONNECT_S),
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_S),
            trust_env=url.host not in LOOPBACK,  # a proxy cannot reach this machine's own loopback
        )

    async def models(self) -> list[dict[str, Any]]:
        """What the engine says of each model it serves.

        Raises:
            EndpointError: it cannot be reached, refuses, or answers something else.
        """
        with self._translated():
            response = await self._client.get("models")
            if response.status_code != 200:
                raise self._rejected(response.status_code, response.text, prompt="")
            return [dict(model) for model in response.json()["data"]]

    async def completion(self, body: dict[str, Any]) -> AsyncGenerator[Chunk, None]:
        """Ask for a completion and read it event by event; closing it closes the connection.

        Raises:
            EndpointError: the engine cannot be reached, refuses, breaks off, or answers something else.
        """
        with self._translated():
            async with self._client.stream("POST", "completions", json=body) as response:
                if response.status_code != 200:
                    said = (await response.aread()).decode(errors="replace")
                    raise self._rejected(response.status_code, said, body["prompt"])
                if "text/event-stream" not in response.headers.get("content-type", ""):
                    raise self._error("answers with something that is not a stream; does baseUrl end in /v1?")
                finished = False
                async for line in response.aiter_lines():
                    kind, _, data = line.partition(":")
                    if kind != "data":
                        continue
                    if data.strip() == "[DONE]":
                        return
                    chunk = self._chunk(data, body["prompt"])
                    finished = finished or chunk.finish_reason is not None
                    yield chunk
                if not finished:
                    raise self._error("broke off in the middle of its answer")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def _chunk(self, data: str, prompt: str) -> Chunk:
        event = json.loads(data)
        if "error" in event:
            raise self._error("failed" + self._said(data, prompt))
        usage = _usage(event["usage"]) if event.get("usage") else None
        if not event["choices"]:  # the event that brings the usage
            return Chunk(usage=usage)
        choice = event["choices"][0]
        if not isinstance(choice["text"], str):
            raise TypeError("the text of a choice is none")
        return Chunk(choice["text"], choice.get("finish_reason"), usage)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Failures of the network and of reading as ours."""
        import httpx

        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise self._error("cannot be reached; is it running?") from error
        except httpx.TimeoutException as error:
            raise self._error(self._silence) from error
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            raise self._error("broke off its answer") from error
        except (httpx.HTTPError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise self._error("answers with something that is not a completion") from error

    def _rejected(self, status: int, said: str, prompt: str) -> RejectedError:
        hint = "; openai.apiKeyEnv names the variable that holds the key" if status in (401, 403) else ""
        hint = "; does openai.baseUrl end in /v1?" if status == 404 else hint
        error = self._error(f"refused with HTTP {status}{self._said(said, prompt)}{hint}")
        return RejectedError(str(error), status)

    def _said(self, body: str, prompt: str) -> str:
        """The engine's own message, if it has one that repeats nothing of the prompt."""
        message = " ".join(_message(body).split())
        if not message or _repeats(message, prompt):
            return ""
        if self._key:
            message = message.replace(self._key, "…")
        return ": " + message[:_MESSAGE_CHARACTERS].rstrip(".")

    def _error(self, what: str) -> EndpointError:
        end = "" if what.endswith("?") else "."
        return EndpointError(f"The engine at {self.address} {what}{end}")


def _usage(counts: dict[str, Any]) -> Usage:
    details = counts.get("prompt_tokens_details") or {}
    cached, generated = details.get("cached_tokens"), counts.get("completion_tokens")
    return Usage(int(counts["prompt_tokens"]), int(cached or 0), int(generated or 0))


def _message(body: str) -> str:
    """What an error says, as the engines write it; empty for anything else."""
    try:
        said = json.loads(body)
    except ValueError:
        return ""
    for key in ("error", "message", "detail"):
        if isinstance(said, dict) and key in said:
            said = said[key]
    return said if isinstance(said, str) else ""


def _repeats(message: str, prompt: str) -> bool:
    starts = range(max(1, len(message) - _SHARED_CHARACTERS + 1))
    return any(message[start : start + _SHARED_CHARACTERS] in prompt for start in starts)
