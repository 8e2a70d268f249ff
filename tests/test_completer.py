import asyncio
from dataclasses import replace

import pytest

from lsp_server.completer import Completer
from lsp_server.completion.document import Document
from lsp_server.completion.instruct import INSTRUCT_FORMATS, Task
from lsp_server.completion.rhythm import Rhythm
from lsp_server.completion.trigger import Ask
from lsp_server.errors import BackendError
from lsp_server.settings import Settings

TYPED = Ask()
INVOKED = Ask(invoked=True)


def at(drawing, uri="file:///project/a.py"):
    before, _, after = drawing.partition("|")
    return Document(uri, "python", before + after).at_offset(len(before))


DEBOUNCE_S = 0.075


class Rest:
    """Stands in for sleeping; remembers for how long, and may be held. No other moment ever passes."""

    def __init__(self):
        self.slept = []
        self.gate = None

    async def __call__(self, seconds):
        if seconds != DEBOUNCE_S:
            await asyncio.Event().wait()
        self.slept.append(seconds)
        if self.gate is not None:
            await self.gate.wait()


@pytest.fixture
def rest():
    return Rest()


@pytest.fixture
def completer(bench, rest):
    return Completer(bench.engine, Settings(debounce_ms=75), rest)


def texts(completion):
    return [suggestion.text for suggestion in completion.suggestions]


async def test_a_completion_is_what_the_model_writes(bench, completer):
    bench.scripts = [["a ", "+ b"]]
    completion = await completer.complete(at("def add(a, b):\n    return |\n"), TYPED)
    assert texts(completion) == ["a + b"]
    assert completion.finish_reason == "stop"
    assert completion.usage.prompt_tokens == 10
    assert completion.id


async def test_typing_is_waited_for_and_a_key_press_is_not(bench, completer, rest):
    bench.scripts = [["a + b"]]
    await completer.complete(at("def add(a, b):\n    return |\n"), TYPED)
    await completer.complete(at("def sum(a, b):\n    return |\n"), INVOKED)
    assert rest.slept == [DEBOUNCE_S]


async def test_typing_the_suggestion_does_not_ask_the_model_again(bench, completer, rest):
    bench.scripts = [["a + b"]]
    await completer.complete(at("def add(a, b):\n    return |\n"), TYPED)
    completion = await completer.complete(at("def add(a, b):\n    return a +|\n"), TYPED)
    assert texts(completion) == [" b"]
    assert completion.finish_reason == "cached"
    assert len(bench.backends[0].pulled) == 1
    assert len(rest.slept) == 1


async def test_going_back_into_the_suggestion_does_not_ask_the_model_again(bench, completer):
    bench.scripts = [["total + rest"]]
    await completer.complete(at("def add(a, b):\n    return |\n"), TYPED)
    for typed in ["t", "to", "tot", "tota", "total", "tota", "tot", "to", ""]:
        completion = await completer.complete(at(f"def add(a, b):\n    return {typed}|\n"), TYPED)
        assert texts(completion) == ["total + rest".removeprefix(typed)]
        assert completion.finish_reason == "cached"
    assert len(bench.backends[0].requests) == 1


async def test_typing_something_else_and_going_back_does_not_ask_for_the_suggestion_again(bench, completer):
    bench.scripts = [["total + rest"]]
    await completer.complete(at("def add(a, b):\n    return |\n"), TYPED)
    await completer.complete(at("def add(a, b):\n    return to_|\n"), TYPED)
    completion = await completer.complete(at("def add(a, b):\n    return to|\n"), TYPED)
    assert (texts(completion), completion.finish_reason) == (["tal + rest"], "cached")
    assert len(bench.backends[0].requests) == 2


EMPTIES = {"the model ended at once": ([], None), "a filter left nothing": ([" ", " "], "drop_empty")}


@pytest.mark.parametrize(("script", "dropped_by"), EMPTIES.values(), ids=EMPTIES)
async def test_a_place_with_nothing_to_suggest_is_not_asked_again(bench, completer, script, dropped_by):
    bench.scripts = [script]
    drawing = "def add(a, b):\n    return |\n"
    first = await completer.complete(at(drawing), TYPED)
    again = await completer.complete(at(drawing), TYPED)
    assert [texts(first), texts(again)] == [[], []]
    assert (first.finish_reason, again.finish_reason) == ("stop", "cached")
    assert first.dropped_by == again.dropped_by
    assert len(bench.backends[0].requests) == 1
    if dropped_by:
        assert again.dropped_by == dropped_by


async def test_a_failure_is_asked_again(bench, completer):
    bench.scripts = [[BackendError("The prompt is too long.")]]
    for _ in range(2):
        await completer.complete(at("def add(a, b):\n    return |\n"), TYPED)
    assert len(bench.backends[0].requests) == 2


async def test_auto_waits_as_the_rhythm_says(bench, rest, monkeypatch):
    monkeypatch.setattr(Rhythm, "wait_s", lambda _rhythm, *, is_free: DEBOUNCE_S if is_free else 0)
    completer = Completer(bench.engine, Settings(), rest)
    bench.scripts = [["a + b"]]
    await completer.complete(at("def add(a, b):\n    return |\n"), TYPED)
    assert rest.slept == [DEBOUNCE_S]


async def test_the_rhythm_is_told_of_keys_and_of_what_the_model_took(bench, completer, monkeypatch):
    told = []
    monkeypatch.setattr(Rhythm, "pressed", lambda _rhythm, _now: told.append("key"))
    monkeypatch.setattr(Rhythm, "answered", lambda _rhythm, _seconds: told.append("answer"))
    bench.scripts = [["a + b"]]
    snapshot = at("def add(a, b):\n    return |\n")
    completer.changed(snapshot.document.uri, lambda: snapshot.document, is_key=True)
    completer.changed(snapshot.document.uri, lambda: snapshot.document)
    await completer.complete(snapshot, TYPED)
    await completer.complete(snapshot, TYPED)
    await completer.complete(snapshot, Ask(True, 3))
    assert told == ["key", "answer"], "neither what was known, nor several candidates"


async def test_what_was_written_is_counted_as_given_once(bench, completer):
    bench.scripts = [["a ", "+ b"]]
    for typed in ["", "a", ""]:
        await completer.complete(at(f"def add(a, b):\n    return {typed}|\n"), TYPED)
    assert completer.statistics.tokens_given == 2


async def test_a_request_that_is_typed_over_while_it_waits_never_reaches_the_model(bench, completer, rest):
    bench.scripts = [["a + b"]]
    rest.gate = asyncio.Event()
    old = asyncio.ensure_future(completer.complete(at("def add(a, b):\n    return |\n"), TYPED))
    await asyncio.sleep(0)
    new = asyncio.ensure_future(completer.complete(at("def add(a, b):\n    return a|\n"), TYPED))
    await asyncio.sleep(0)
    rest.gate.set()
    assert (await old).finish_reason == "superseded"
    assert (await new).finish_reason == "stop"
    assert len(bench.backends[0].pulled) == 1


async def test_other_documents_are_not_superseded(bench, completer):
    bench.scripts = [["a + b"]]
    drawing = "def add(a, b):\n    return |\n"
    completions = await asyncio.gather(
        *(completer.complete(at(drawing, f"file:///{name}.py"), TYPED) for name in "abc")
    )
    assert [completion.finish_reason for completion in completions] == ["stop"] * 3


async def test_what_is_skipped_says_by_which_rule(bench, completer):
    completion = await completer.complete(at("import re\nprint(val|ue)"), TYPED)
    assert (completion.finish_reason, completion.dropped_by) == ("skipped", "inside_word")
    assert bench.backends == []


async def test_several_candidates_are_asked_for_and_doubles_are_removed(bench, completer):
    bench.scripts = [["a + b"]]
    completion = await completer.complete(at("def add(a, b):\n    return |\n"), Ask(True, 3))
    assert texts(completion) == ["a + b"]
    assert len(bench.backends[0].pulled) == 3


async def test_a_failure_is_an_empty_answer_with_its_sentence_in_the_explanation(bench, completer):
    bench.scripts = [[BackendError("The prompt is too long.")]]
    snapshot = at("def add(a, b):\n    return |\n")
    completion = await completer.complete(snapshot, TYPED)
    assert (texts(completion), completion.finish_reason) == ([], "failed")
    explained = completer.explain(snapshot.document.uri)
    assert explained is completion
    assert explained.stages[-1].outcome == "The prompt is too long."


async def test_a_failure_is_logged_once(bench, completer, caplog):
    bench.scripts = [[BackendError("The prompt is too long.")]]
    for name in "abc":
        await completer.complete(at(f"def {name}(a, b):\n    return |\n"), TYPED)
    assert caplog.text.count("The prompt is too long.") == 1


async def test_the_log_and_the_explanation_hold_no_source_text(bench, completer, caplog):
    caplog.set_level("INFO")
    bench.scripts = [["secret_answer"]]
    completion = await completer.complete(at("secret_prefix = |\nsecret_suffix = 1\n"), TYPED)
    assert "completion" in caplog.text
    assert "secret" not in caplog.text
    assert "secret" not in repr(completion.stages)


async def test_a_selected_item_is_gone_on_from(bench, completer):
    bench.scripts = [["(path)"]]
    ask = Ask(selected="read_text", selected_length=2)
    completion = await completer.complete(at("value = file.re|\n"), ask)
    (suggestion,) = completion.suggestions
    assert suggestion.text == "read_text(path)"
    assert suggestion.replaces_before == 2


async def test_a_closed_document_is_forgotten(bench, completer):
    bench.scripts = [["a + b"]]
    snapshot = at("def add(a, b):\n    return |\n")
    await completer.complete(snapshot, TYPED)
    completer.forget(snapshot.document.uri)
    assert completer.explain(snapshot.document.uri) is None
    assert (await completer.complete(snapshot, TYPED)).finish_reason == "stop"


async def test_switching_off_is_told_and_needs_no_model(bench, rest):
    bench.scripts = [["x"]]
    completer = Completer(bench.engine, Settings(enabled=False), rest)
    await completer.start()
    seen = []
    unsubscribe = completer.subscribe(seen.append)
    assert seen[0].state == "off"
    assert bench.backends == []
    unsubscribe()


async def test_stopping_ends_what_is_under_way(bench, completer):
    bench.scripts = [["a + b"]]
    await completer.complete(at("def add(a, b):\n    return |\n"), TYPED)
    await completer.stop()
    assert bench.engine.idle


async def test_what_is_taken_in_parts_is_counted_once(completer):
    for completion_id, units in [("a", 3), ("a", 7), ("b", 2)]:
        completer.statistics.was_accepted_in_part(completion_id, units)
    assert completer.statistics.accepted_in_part == 9


async def test_the_rest_of_a_cached_answer_still_agrees_with_the_line(bench, completer):
    bench.scripts = [["a, b)"]]
    first = await completer.complete(at("def add(a, b):\n    return sum(|)\n"), TYPED)
    rest = await completer.complete(at("def add(a, b):\n    return sum(a|)\n"), TYPED)
    assert rest.finish_reason == "cached"
    assert rest.suggestions[0].text == first.suggestions[0].text[1:]
    assert rest.suggestions[0].replaces == first.suggestions[0].replaces


async def test_ghost_text_does_not_blink_off_where_the_model_would_not_be_asked(bench, completer):
    bench.scripts = [["items[0].append(1)"]]
    await completer.complete(at("def add(items):\n    |\n"), TYPED)
    rest = await completer.complete(at("def add(items):\n    items[0]|\n"), TYPED)
    assert texts(rest) == [".append(1)"]
    new = await completer.complete(at("def add(items):\n    other[0]|\n"), TYPED)
    assert new.dropped_by == "finished_line"


@pytest.mark.parametrize("change", [{"temperature": 0.5}, {"multiline": "never"}, {"backend": "openai"}])
async def test_an_answer_holds_only_while_the_settings_it_depends_on_do(bench, completer, change):
    bench.scripts = [["a + b"]]
    snapshot = at("def add(a, b):\n    return |\n")
    await completer.complete(snapshot, TYPED)
    completer.configure(replace(completer.settings, **change))
    assert (await completer.complete(snapshot, TYPED)).finish_reason == "stop"


async def test_a_client_that_changes_a_trifle_leaves_the_model_of_another_alone(bench, completer, rest):
    bench.scripts = [["one"]]
    await completer.complete(at("def add(a, b):\n    return |\n"), TYPED)
    other = Completer(bench.engine, Settings(model="other.gguf"), rest)
    other.configure(replace(other.settings, disabled_languages=("yaml",)))
    await completer.complete(at("def sum(a, b):\n    return |\n"), TYPED)
    assert len(bench.backends) == 1


async def test_what_the_model_writes_can_be_watched(bench, completer):
    bench.scripts = [["a ", "", "+ b"]]
    drafts = []
    await completer.complete(at("def add(a, b):\n    return |\n"), INVOKED, drafts.append)
    assert [draft.text for draft in drafts] == ["a ", "a + b"]
    assert drafts[-1].suggestion.text == "a + b"


async def test_a_task_is_carried_out_and_its_answer_can_be_watched(bench, completer):
    bench.instruct = INSTRUCT_FORMATS["alpaca"]
    bench.scripts = [["It ", "adds."]]
    heard = []
    outcome = await completer.instruct(Task("", "Explain.", "a + b", needs_all=True), heard.append)
    assert outcome.texts == ("It adds.",)
    assert heard == ["It ", "It adds."]
