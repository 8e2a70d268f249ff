"""Drafts are read along, taken back where they were wrong, and never change what is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lsp_server.backends.lookahead import DRAFT_TOKENS, Lookahead, PromptLookup

np = pytest.importorskip("numpy")


class Recited:
    """A model that has one text by heart; tokens are characters."""

    def __init__(self, text: str, read: int, *, can_drop: bool = True) -> None:
        self.text = text
        self.done = read
        self.can_drop = can_drop
        self.passes: list[str] = []

    def read_each(self, ids: Sequence[int]) -> list[Any]:
        self.passes.append("".join(map(chr, ids)))
        scores = []
        for token in ids:
            right = chr(token) == self.text[self.done]
            self.done += 1
            scores.append(np.eye(128, dtype=np.float32)[ord(self.text[self.done]) if right else 0])
        return scores

    def drop(self, count: int) -> None:
        self.done -= count


def written(model: Recited, prompt: str, first: str, length: int, room: int = 100) -> str:
    """What is written behind a prompt, ``first`` included."""
    ahead, text = Lookahead(model, list(map(ord, prompt)), room), first
    while len(text) < length:
        text += chr(int(ahead.read(ord(text[-1])).argmax()))
    return text


TEXT = "for item in items: for item in things: end."


def test_what_stood_there_before_is_read_along() -> None:
    prompt = TEXT[:23]
    model = Recited(TEXT, len(prompt))
    assert written(model, prompt, TEXT[23], 15) == TEXT[23:38]
    assert len(model.passes) < 14
    assert any(len(each) == 1 + DRAFT_TOKENS for each in model.passes)


@pytest.mark.parametrize("room", range(2, 9))
def test_no_more_is_read_than_the_context_holds(room: int) -> None:
    prompt = TEXT[:23]
    model = Recited(TEXT, len(prompt))
    furthest = []
    read_each = model.read_each
    model.read_each = lambda ids: (furthest.append(model.done + len(ids)), read_each(ids))[1]  # type: ignore[method-assign, func-returns-value]
    assert written(model, prompt, TEXT[23], room + 1, room) == TEXT[23 : 24 + room]
    assert max(furthest) <= len(prompt) + room


def test_a_model_that_cannot_take_back_reads_one_by_one() -> None:
    prompt = TEXT[:23]
    model = Recited(TEXT, len(prompt), can_drop=False)
    assert written(model, prompt, TEXT[23], 15) == TEXT[23:38]
    assert all(len(each) == 1 for each in model.passes)


@pytest.mark.parametrize("text", ["aaabaaacaaadaaaeaaab", "abcabdabcabdabcabe.", "no three are the same?"])
def test_drafts_change_nothing_but_the_number_of_passes(text: str) -> None:
    for begun in range(1, len(text) - 2):
        model = Recited(text + "$" * 9, begun)
        rest = text[begun:]
        assert written(model, text[:begun], rest[0], len(rest)) == rest


def test_the_last_place_where_the_tokens_stood_counts() -> None:
    lookup = PromptLookup([1, 2, 3, 4, 1, 2, 3, 5, 6, 1, 2, 3])
    assert lookup.draft() == [5, 6, 1]
    lookup.take(9)
    assert lookup.draft() == []


def test_a_short_prompt_has_no_drafts() -> None:
    assert PromptLookup([]).draft() == []
    assert PromptLookup([1, 1]).draft() == []
