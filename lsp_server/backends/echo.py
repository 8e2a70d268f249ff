"""A backend without a model: it says what it was told to say, for tests and for trouble-shooting.

In a server that is started as a program the script comes from the environment variable ``FIM_LS_ECHO``, a
JSON object with the fields of ``Script``; without it every completion is the same greeting.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import zlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from lsp_server.backends.base import FinishReason, GenerationRequest, LoadedModel, OnProgress, Report
from lsp_server.backends.stream import Pieces, drop_healed, until_stop_string
from lsp_server.completion.item import Usage
from lsp_server.errors import BackendError, SettingsError

SCRIPT_VARIABLE = "FIM_LS_ECHO"
CONTEXT_TOKENS = 131_072
_UTF_32 = f"utf-32-{sys.byteorder[0]}e"
_PIECE = re.compile(r"\s*(?:\w+|[^\w\s])|\s+")


@dataclass(frozen=True)
class Script:
    """What an echo says and how.

    Attributes:
        text: what is written at the cursor.
        answers: other texts for prompts in which the key occurs; the first one that does counts.
        delay_ms: pause before each piece, in milliseconds.
        print: whether to write to the standard output too, as careless libraries do.
        fail: the sentence to fail with after the text; empty for not at all.
        hang: whether to fall silent for ever after the text.
        instruct: whether to pass for a model that is tuned on instructions.
        loads_when: a file; loading goes on once it exists. Empty for at once.
        others: what the candidates after the first one say; empty for all the same.
    """

    text: str = "hello from fim-ls"
    answers: Mapping[str, str] = field(default_factory=dict)
    delay_ms: float = 0
    print: bool = False
    fail: str = ""
    hang: bool = False
    instruct: bool = False
    loads_when: str = ""
    others: Sequence[str] = ()

    @classmethod
    def from_environment(cls) -> Script:
        """The script in ``FIM_LS_ECHO``.

        Raises:
            SettingsError: it is not JSON, or has other fields.
        """
        try:
            values: dict[str, Any] = json.loads(os.environ.get(SCRIPT_VARIABLE, "{}"))
            return cls(**values)
        except (ValueError, TypeError) as error:
            names = ", ".join(each.name for each in fields(cls))
            message = f"{SCRIPT_VARIABLE} must hold a JSON object with some of these fields: {names}."
            raise SettingsError(message) from error

    def answer(self, prompt: str, candidate: int = 0) -> str:
        """What is written for a prompt, by the first candidate or a further one."""
        if candidate and self.others:
            return self.others[(candidate - 1) % len(self.others)]
        return next((text for key, text in self.answers.items() if key in prompt), self.text)


class CharacterTokenizer:
    """One token a character, its code point; special pieces lie beyond Unicode."""

    bos = ""

    def encode(self, text: str) -> list[int]:
        """The code points of a text."""
        return memoryview(text.encode(_UTF_32, "surrogatepass")).cast("I").tolist()

    def encode_inside(self, text: str) -> list[int]:
        """The same: no blank is ever put before a text."""
        return self.encode(text)

    def special_id(self, piece: str) -> int:
        """A number for any piece, the same in every process."""
        return sys.maxunicode + 1 + zlib.crc32(piece.encode())


class EchoBackend:
    """Plays a script.

    Args:
        script: what is said, and how; None reads the environment.
        gate: called before each piece; a test lets it block or raise.
    """

    name = "echo"

    def __init__(self, script: Script | None = None, gate: Callable[[], object] | None = None) -> None:
        self._script = Script.from_environment() if script is None else script
        self._gate = gate or self._delay
        self._tokenizer = CharacterTokenizer()

    @property
    def is_instructed(self) -> bool:
        """Whether it passes for a model that is tuned on instructions."""
        return self._script.instruct

    def load(self, on_progress: OnProgress) -> LoadedModel:
        """Be ready at once, or when the script says so."""
        while self._script.loads_when and not Path(self._script.loads_when).exists():
            on_progress(0.5)
            time.sleep(0.05)
        on_progress(1.0)
        return LoadedModel("echo", "cpu", CONTEXT_TOKENS, self._tokenizer)

    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        """Yield the words of the answer, the healed text first; see ``Backend.generate``.

        Raises:
            BackendError: the script says so.
        """
        if self._script.print:
            _write_to_standard_output()
        pieces = drop_healed(self._pieces(request, report), request.healed)
        yield from until_stop_string(pieces, request.stop_strings, report)

    def close(self) -> None:
        """Nothing is held."""

    def _pieces(self, request: GenerationRequest, report: Report) -> Pieces:
        words = _PIECE.findall(self._script.answer(request.text + request.healed, request.sampling.seed))
        said = 0
        try:
            yield request.healed
            for word in words[: request.sampling.max_new_tokens]:
                self._gate()
                said += 1
                yield word
            self._end()
            cut = len(words) > request.sampling.max_new_tokens
            report.finish_reason = FinishReason.LENGTH if cut else FinishReason.STOP
        finally:
            prompt = self._tokenizer.encode(request.text) if request.ids is None else request.ids
            report.usage = Usage(len(prompt), 0, said)

    def _delay(self) -> None:
        if self._script.delay_ms:  # to sleep for no time at all takes a tenth of a millisecond
            time.sleep(self._script.delay_ms / 1000)

    def _end(self) -> None:
        if self._script.fail:
            raise BackendError(self._script.fail)
        while self._script.hang:
            time.sleep(3600)


def _write_to_standard_output() -> None:
    sys.stdout.write("echo: a line that belongs nowhere\n")
    sys.stdout.flush()
    os.write(1, b"echo: another one\n")
