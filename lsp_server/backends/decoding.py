"""The decode loop: rewind to what is known of the prompt, read the rest in pieces, then one token at a time.

It is ours, and not a library's, since it must be left between two tokens, go on from what was read for the
prompt before, and spell a healed cursor.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lsp_server.backends.base import PREFILL_PIECE_TOKENS, FinishReason, GenerationRequest, OneLine, Report
from lsp_server.backends.healing import Healing, Vocabulary
from lsp_server.backends.line_reading import LineReader, LineReading, Wish
from lsp_server.backends.line_search import MOST_STARTS, LineSearch
from lsp_server.backends.lines_elsewhere import possible_lines, sure_line
from lsp_server.backends.loops import one_round_more
from lsp_server.backends.sampling import Sampler, healed_scores, likeliest, log_likelihoods, without
from lsp_server.backends.stream import Pieces, drop_healed, until_stop_string
from lsp_server.completion.fim import Tokenizer
from lsp_server.completion.item import Usage
from lsp_server.errors import BackendError

if TYPE_CHECKING:
    from lsp_server.backends.sampling import Scores


class Reader(LineReader, Protocol):
    """What the decode loop needs of it besides."""

    def read(self, ids: Sequence[int]) -> Scores:
        """Read further tokens; the scores of the next one.

        Raises:
            BackendError: the model failed.
        """
        ...

    def going_on(self, prompt: Sequence[int], room: int) -> Callable[[int], Scores]:
        """Behind a prompt that was read: takes each token that is chosen, and scores the next one.

        Args:
            prompt: all of it.
            room: how many tokens the context still holds.
        """
        ...


@dataclass(frozen=True)
class Decoder:
    """A model that is ready to write.

    Attributes:
        reader: reads tokens and scores the next one.
        tokenizer: for prompts that come as text.
        vocabulary: what the tokens spell.
        start_id: what an empty prompt begins with.
        context_tokens: the longest prompt and answer together.
        ends: the tokens that the model itself declares to be its end.
    """

    reader: Reader
    tokenizer: Tokenizer
    vocabulary: Vocabulary
    start_id: int
    context_tokens: int
    ends: frozenset[int]

    def answer(self, request: GenerationRequest, report: Report) -> Pieces:
        """Yield pieces of text; see ``Backend.generate``.

        Raises:
            BackendError: the prompt is too long, or the model failed.
        """
        pieces = _Generation(self, request, report).pieces()
        yield from until_stop_string(drop_healed(pieces, request.healed), request.stop_strings, report)


class _Generation:
    """One prompt on its way through the model."""

    def __init__(self, decoder: Decoder, request: GenerationRequest, report: Report) -> None:
        self._decoder = decoder
        self._request = request
        self._report = report
        ids = decoder.tokenizer.encode(request.text) if request.ids is None else list(request.ids)
        self._prompt = ids or [decoder.start_id]
        self._stops = request.stop_ids | decoder.ends
        self._healing = Healing(request.healed, decoder.vocabulary)
        self._characters = codecs.getincrementaldecoder("utf-8")("replace")
        self._cached = 0
        self._read = 0
        self._generated = 0

    def pieces(self) -> Pieces:
        """The text token by token, with what is healed."""
        room = self._decoder.context_tokens - len(self._prompt)
        if room < 1:
            longest = self._decoder.context_tokens - 1
            message = f"The prompt has {len(self._prompt)} tokens, but the model takes {longest} at most."
            raise BackendError(message)
        try:
            scores = yield from self._prefill()
            yield from self._decode(scores, room)
        finally:
            self._report.usage = Usage(self._read, self._cached, self._generated)

    def _prefill(self) -> Generator[str, None, Scores]:
        """Read the prompt; returns the scores of the first token."""
        reader = self._decoder.reader
        self._read = self._cached = reader.rewind(self._prompt)
        while True:
            piece = self._prompt[self._read : self._read + PREFILL_PIECE_TOKENS]
            scores = reader.read(piece)
            self._read += len(piece)
            if self._read == len(self._prompt):
                return scores
            yield ""

    def _decode(self, scores: Scores, room: int) -> Pieces:
        sampler, budget = Sampler(self._request.sampling), self._request.sampling.max_new_tokens
        go_on = self._decoder.reader.going_on(self._prompt, room)
        written, new, one_line = list[int](), list[int](), self._request.one_line
        vocabulary = self._decoder.vocabulary
        while True:
            possible = without(one_round_more(new, vocabulary), healed_scores(scores, self._healing))
            token = sampler.choose(possible)
            ends = token in self._stops
            if one_line is not None and (ends or self._healing.brings_new(token)):
                starts = [] if ends and not one_line.is_needed else self._starts(possible)
                if (yield from self._line(one_line, written, scores, starts)):
                    return
                one_line = None
                go_on = self._decoder.reader.going_on([*self._prompt, *written], room - len(written))
            if ends:
                self._report.finish_reason = FinishReason.STOP
                return
            written.append(token)
            self._generated += 1
            if self._healing.take(token):
                new.append(token)
                budget -= 1
            yield self._characters.decode(vocabulary.piece(token))
            if budget <= 0 or self._generated == room:
                self._report.finish_reason = FinishReason.LENGTH
                return
            scores = go_on(token)

    def _starts(self, possible: Scores) -> list[int]:
        """What may begin a line, the likeliest first."""
        tokens = likeliest(possible, MOST_STARTS)
        return [token for token in tokens if token not in self._stops and self._healing.brings_new(token)]

    def _line(
        self, one_line: OneLine, healed: Sequence[int], scores: Scores, starts: Sequence[int]
    ) -> Generator[str, None, bool]:
        """One line, the best of several, as one piece; whether there is one.

        Some tokens of the healed text stand before it.
        """
        self._report.searches = True
        yield ""
        vocabulary, likely = self._decoder.vocabulary, log_likelihoods(scores)
        wish = self._wish(one_line, self._decoder.context_tokens - len(self._prompt) - len(healed))
        reading = LineReading(self._decoder.reader, [*self._prompt, *healed], wish)
        elsewhere = possible_lines(self._known(one_line, wish), likely, reading)
        line = yield from sure_line(elsewhere, reading)
        if line is None:
            if not one_line.is_varied:
                reading.leave()
                return False
            search = LineSearch(reading, vocabulary)
            try:
                line = yield from search.best(likely, starts, elsewhere)
            finally:
                self._generated += search.written
        self._report.finish_reason = FinishReason.STOP if line.is_complete else FinishReason.LENGTH
        yield self._characters.decode(vocabulary.spelled(line.tokens))
        return True

    def _wish(self, one_line: OneLine, room: int) -> Wish:
        left, spelled = len(self._healing.left), self._decoder.vocabulary.spelled
        return Wish(
            one_line.following,
            lambda tokens: one_line.is_shown(spelled(tokens)[left:].rstrip().decode("utf-8", "replace")),
            min(self._request.sampling.max_new_tokens, room - len(one_line.following)),
            sorted(self._stops),
        )

    def _known(self, one_line: OneLine, wish: Wish) -> Iterator[tuple[list[int], int]]:
        """The lines of the file that are spelled as they are, and read in one pass with what follows."""
        left, longest = self._healing.left, PREFILL_PIECE_TOKENS - len(wish.following)
        for text, agreeing in one_line.elsewhere:
            tokens = self._decoder.tokenizer.encode(left.decode("utf-8", "replace") + text)
            is_spelled = self._decoder.vocabulary.spelled(tokens) == left + text.encode()
            if is_spelled and len(tokens) <= min(wish.most_tokens, longest):
                yield tokens, agreeing
