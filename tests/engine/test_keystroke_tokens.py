"""What a keystroke costs: the tokens of a prompt behind what it has in common with the one before."""

from __future__ import annotations

import asyncio
import statistics
from itertools import takewhile

import pytest

from lsp_server.backends.base import LoadedModel
from lsp_server.backends.echo import EchoBackend, Script
from lsp_server.completer import Completer
from lsp_server.completion.anchor import Anchors
from lsp_server.completion.context import counter
from lsp_server.completion.document import Document
from lsp_server.completion.fim import FORMATS
from lsp_server.completion.trigger import Ask
from lsp_server.engine.engine import Engine
from lsp_server.engine.job import Model, Prepared
from lsp_server.engine.plan import plan_requests
from lsp_server.settings import Settings

SENTINELS = sorted({piece for form in FORMATS.values() for piece in form.pieces})
TYPED = '''\
def average_of(numbers, default=None):
    """The mean of some numbers."""
    if not numbers:
        return default

    total = sum(number for number in numbers if number is not None)
    return total / len(numbers)


class Averages(dict):
    def add(self, name, numbers):
        self[name] = average_of(list(numbers), default=0.0)
'''


def module(functions=60):
    """A long file of the same kind on every machine."""
    verbs, things = ("load", "sort", "merge", "check", "print"), ("order", "user", "price", "row", "token")
    return "".join(
        f"def {verbs[at % 5]}_{things[at // 5 % 5]}s_{at}(rows, limit={at}):\n"
        f"    found = [row for row in rows if row.{verbs[at % 5]}ed]\n"
        f"    if len(found) > limit:\n        raise ValueError(f'too many: {{len(found)}}')\n"
        f"    return found[:limit]\n\n\n"
        for at in range(functions)
    )


class Vocabulary:
    """A byte-level vocabulary that was learned from code, and every sentinel."""

    bos = ""

    def __init__(self):
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers

        self._tokenizer = Tokenizer(models.BPE())
        self._tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=800, initial_alphabet=alphabet, show_progress=False)
        self._tokenizer.train_from_iterator([module(), TYPED], trainer)
        self._first_special = self._tokenizer.get_vocab_size()

    def encode(self, text):
        return self._tokenizer.encode(text).ids

    encode_inside = encode

    def special_id(self, piece):
        return self._first_special + SENTINELS.index(piece) if piece in SENTINELS else None


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary()


class Session:
    """An editor that asks after each key, and a model that keeps what it read last."""

    def __init__(self, vocabulary, name, anchors):
        loaded = LoadedModel("recording", "cpu", 4096, vocabulary)
        self.model = Model(loaded, FORMATS[name], counter(vocabulary))
        self.anchors = anchors
        text = module()
        half = text.index("\n\n\n", len(text) // 2) + 3
        self.before, self.after = text[:half], "\n\n" + text[half:]
        self.read = ()
        self.costs = []
        self.asks()

    def asks(self):
        """Ask, and note how many tokens the model has to read; of a prompt that it has read, the last."""
        place = Document("file:///a.py", "python", self.before + self.after).at_offset(len(self.before))
        plan = plan_requests(
            place, Settings(), lambda *_: None, multiline=True, candidates=1, anchors=self.anchors
        )
        (request,) = plan(self.model)
        both = takewhile(lambda pair: pair[0] == pair[1], zip(request.ids, self.read, strict=False))
        common = len(list(both))
        self.costs.append(len(request.ids) - min(common, len(request.ids) - 1))
        self.read = request.ids
        return request

    def types(self, text):
        """Type a text key by key."""
        for key in text:
            self.before += key
            self.asks()

    def types_with_closers(self, text):
        """The same in an editor that closes what is opened, and types over what it closed."""
        closing = {"(": ")", "[": "]", '"': '"'}
        for key in text:
            if self.after.startswith(key) and key in closing.values():
                self.after = self.after[1:]
            elif key in closing:
                self.after = closing[key] + self.after
            self.before += key
            self.asks()


PSM = ["starcoder", "qwen2.5-coder", "deepseek-coder", "code-llama", "santacoder"]
SPM = ["smollm2-spm", "starcoder-spm", "codestral"]
MIDDLE_LAST = ["mellum", "refact", "seed-coder"]


@pytest.mark.parametrize("name", [*PSM, *SPM, *MIDDLE_LAST])
def test_a_key_costs_its_own_tokens_and_nothing_else(vocabulary, name):
    session = Session(vocabulary, name, Anchors())
    session.types(TYPED)
    costs = session.costs[1:]
    assert statistics.median(costs) <= 2
    assert statistics.mean(costs) <= 6, "with all new anchors"
    assert sum(cost > 10 for cost in costs) <= 4, "a new anchor is seldom"


@pytest.mark.parametrize("name", PSM)
def test_a_plain_prompt_with_the_suffix_behind_costs_all_of_the_suffix(vocabulary, name):
    session = Session(vocabulary, name, None)
    session.types(TYPED[:100])
    assert statistics.median(session.costs[1:]) >= 100


@pytest.mark.parametrize("name", [*PSM, *SPM, *MIDDLE_LAST])
def test_closers_that_the_editor_puts_behind_the_cursor_cost_nothing(vocabulary, name):
    session, with_closers = (Session(vocabulary, name, Anchors()) for _ in range(2))
    session.types(TYPED[:250])
    with_closers.types_with_closers(TYPED[:250])
    assert with_closers.after == session.after
    assert with_closers.costs == session.costs


@pytest.mark.parametrize("name", SPM)
def test_without_an_anchor_each_of_them_costs_the_whole_prompt(vocabulary, name):
    session = Session(vocabulary, name, None)
    session.types_with_closers(TYPED)
    assert sum(cost > 300 for cost in session.costs[1:]) >= 15


@pytest.mark.parametrize("name", [*PSM, *SPM, *MIDDLE_LAST])
def test_a_key_inside_a_word_costs_no_more_than_any_other(vocabulary, name):
    session = Session(vocabulary, name, Anchors())
    inside, others = [], []
    for at, key in enumerate(TYPED[:250]):
        session.types(key)
        is_inside = at > 0 and (TYPED[at - 1] + key).isalpha()
        (inside if is_inside else others).append(session.costs[-1])
    assert max(inside) == 1
    assert statistics.median(others) <= 3


def test_a_word_is_healed_behind_the_sentinel_and_never_across_it(vocabulary):
    session = Session(vocabulary, "starcoder", Anchors())
    session.types("    return")
    request = session.asks()
    assert request.healed == " return"
    assert request.text.endswith("<fim_middle>   ")
    session.before = session.before.removesuffix("   return")
    request = session.asks()
    assert request.healed == " "
    assert request.text.endswith("<fim_middle>")
    session.before = session.before.removesuffix(" ")
    assert session.asks().healed == ""


def test_candidates_of_one_request_share_the_prompt(vocabulary):
    session = Session(vocabulary, "starcoder", Anchors())
    place = Document("file:///b.py", "python", "x = 1\ny = \n").at(1, 4)
    plan = plan_requests(
        place, Settings(), lambda *_: None, multiline=True, candidates=3, anchors=session.anchors
    )
    assert len({request.ids for request in plan(session.model)}) == 1


def test_what_was_typed_is_noted_for_the_explanation(vocabulary):
    session, notes = Session(vocabulary, "starcoder", Anchors()), []
    place = Document("file:///b.py", "python", "x = 1\ny = \nz = 3\n").at(1, 4)
    plan_requests(
        place, Settings(), lambda *note: notes.append(note), multiline=True, candidates=1,
        anchors=session.anchors,
    )(session.model)  # fmt: skip
    assert "4 characters typed behind it" in dict(notes)["context"]


async def test_a_completer_anchors_its_prompts_until_the_document_is_closed():
    prompts = []

    class Watching(EchoBackend):
        def generate(self, request, report):
            prompts.append(request.text + request.healed)
            return super().generate(request, report)

    engine = Engine(Settings(), lambda *_: Prepared(Watching(Script("")), FORMATS["starcoder"]))
    completer = Completer(engine, Settings(debounce_ms=0), anchors=Anchors())

    async def prompt_of(drawing):
        before, _, after = drawing.partition("|")
        document = Document("file:///a.py", "python", before + after)
        await completer.complete(document.at_offset(len(before)), Ask(invoked=True))
        return prompts[-1]

    try:
        halves = "<fim_prefix>a = 1\n<fim_suffix>\nb = 2\n<fim_middle>"
        assert await prompt_of("a = 1\nx = f|\nb = 2\n") == halves + "x = f"
        assert await prompt_of("a = 1\nx = f(|)\nb = 2\n") == halves + "x = f("
        completer.forget("file:///a.py")
        assert await prompt_of("a = 1\nx = f(|)\nb = 2\n") == halves.replace("\nb", ")\nb") + "x = f("
    finally:
        await asyncio.to_thread(engine.close, 20)
