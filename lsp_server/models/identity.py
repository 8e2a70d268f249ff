"""Which prompt format is a model's own, how that is known, and the sentence that says so.

A whole name decides, then architecture and sentinels together. Sentinels alone prove nothing: vocabularies
have them without the model having been trained on them, so such a model has to be tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lsp_server.completion.fim import FORMATS, FimFormat, Tokenizer
from lsp_server.completion.formats import PREFIX, SUFFIX
from lsp_server.declared import DeclaredFormat
from lsp_server.models.catalogue import CatalogueEntry, catalogue
from lsp_server.models.facts import Facts, lookalikes, named_entry

How = Literal["name", "config", "vocabulary", "declared", "probe", "causal"]
"""By what a format is known; ``causal`` is for a model that is shown no suffix."""

_OURS = "smollm2-spm"
_SECOND_ORDERS = ("starcoder-spm", "code-llama-spm")
"""The other order of models that know the usual one too; only for users who declare it."""
_SHARED = (
    ("qwen2", "qwen2.5-coder"),
    ("qwen3", "qwen2.5-coder"),
    ("qwen3_moe", "qwen2.5-coder"),
    ("deepseek_v2", "deepseek-coder"),
    ("mistral", "codestral"),
)
"""Architectures whose general models have the sentinels of those for code, trained on them or not."""


@dataclass(frozen=True)
class Identity:
    """How a model is asked for a middle, and why so.

    Attributes:
        form: the format.
        how: by what it is known.
        sentence: the same for people.
        family: for people; empty where no entry of the catalogue is meant.
        instruct: the name of the prompt for instructions; empty for a model that follows none.
        to_try: formats that are possible, the likeliest first, of which only a probe can tell whether
            the model was trained on them; empty once that is decided.
    """

    form: FimFormat
    how: How
    sentence: str
    family: str = ""
    instruct: str = ""
    to_try: tuple[FimFormat, ...] = ()

    def decided(self, form: FimFormat | None, title: str) -> Identity:
        """The identity after the probe, with the format that passed; None for no format."""
        if form is None:
            names = " or ".join(each.name for each in self.to_try)
            why = f"{title} has the sentinels of {names}, but did not fill in the middle when it was tried"
            return replace(_causal(why), how="probe", family=self.family, instruct=self.instruct)
        sentence = f"{title} filled in the middle in the format {form.name} when it was tried."
        return replace(self, form=form, how="probe", sentence=sentence, to_try=())


def identify(facts: Facts, tokenizer: Tokenizer | None, declared: str | DeclaredFormat = "auto") -> Identity:
    """How a model is asked.

    Args:
        facts: what it says of itself.
        tokenizer: its own; without one the sentinels cannot be looked at.
        declared: what the user says in ``fimFormat``.
    """
    if declared != "auto":
        form = FORMATS[declared] if isinstance(declared, str) else declared_form(declared)
        found = Identity(form, "declared", f"The setting fimFormat says how {facts.title} is asked.")
    elif entry := named_entry(facts):
        found = _of_entry(entry, facts)
    elif tokenizer is None:
        found = _causal(f"{facts.title} is not in the catalogue, and its files are not here to tell more")
    else:
        found = _of_vocabulary(facts, tokenizer)
    return replace(found, to_try=()) if tokenizer is None else _verified(found, facts, tokenizer)


def declared_form(declared: DeclaredFormat) -> FimFormat:
    """The format that a user declares."""
    prefix, suffix = (declared.prefix, PREFIX), (declared.suffix, SUFFIX)
    halves = (*prefix, *suffix) if declared.order == "psm" else (*suffix, *prefix)
    pieces = tuple(piece for piece in (declared.prefix, declared.suffix, declared.middle) if piece)
    layout = (*halves, declared.middle) if declared.middle else halves
    return FimFormat("declared", layout, (*declared.stops, *pieces), bos=None)


def _of_entry(entry: CatalogueEntry, facts: Facts) -> Identity:
    known = facts.title if facts.title == entry.name else f"{facts.title}, which is {entry.name},"
    instruct = entry.instruction_prompt
    if not entry.fill_in_the_middle:
        if entry.verified == "documented":
            why = f"{known} was not trained to fill in the middle, whatever its vocabulary has"
        else:
            why = f"{known} is not known to fill in the middle with a prompt that can be given here"
        return replace(_causal(why), family=entry.title, instruct=instruct)
    sentence = f"{known} is known by its name, and of the family {entry.title}."
    found = Identity(FORMATS[entry.format], "name", sentence, entry.title, instruct)
    return found if entry.verified != "unverified" else replace(found, to_try=(found.form,))


def _of_vocabulary(facts: Facts, tokenizer: Tokenizer) -> Identity:
    if set(FORMATS[_OURS].sentinels) <= set(facts.declared):
        sentence = f"{facts.title} names the sentinels that only the training of this project gave a model."
        return Identity(FORMATS[_OURS], "vocabulary", sentence)
    possible = list(_spelled(facts, tokenizer))
    if not possible:
        return _causal(f"The vocabulary of {facts.title} has the sentinels of no family that is known")
    alike = lookalikes(facts)
    if alike and not any(entry.fill_in_the_middle for entry in alike):
        why = f"{facts.title} has the architecture and size of {alike[0].name}, which was not trained for it"
        return replace(_causal(why), family=alike[0].title)
    usual = _of_architecture(facts, alike)
    likely = _one_for_each_order(sorted(possible, key=lambda form: _unlikeliness(form, usual, tokenizer)))
    sure = [form for form in likely if form.name in usual]
    if len(sure) == 1 and not _is_shared(facts, sure[0], alike):
        return _of_family(facts, sure[0], usual)
    names = " or ".join(form.name for form in likely)
    sentence = f"{facts.title} has the sentinels of {names}; whether it was trained on them has to be tried."
    return Identity(likely[0], "probe", sentence, to_try=likely)


def _of_family(facts: Facts, form: FimFormat, usual: Mapping[str, str]) -> Identity:
    family = usual[form.name]
    sentence = f"{facts.title} has the architecture {facts.architectures[0]} and the sentinels of {family}."
    return Identity(form, "config", sentence, family)


def _spelled(facts: Facts, tokenizer: Tokenizer) -> Iterator[FimFormat]:
    """The formats whose sentinels the vocabulary has, and the file itself names if it names any."""
    for form in FORMATS.values():
        passed_over = not form.uses_suffix or form.name in (_OURS, *_SECOND_ORDERS)
        if passed_over or any(tokenizer.special_id(piece) is None for piece in form.required):
            continue
        if not facts.declared or facts.declared[1] in ("", *form.sentinels):
            yield form


def _of_architecture(facts: Facts, alike: Sequence[CatalogueEntry]) -> Mapping[str, str]:
    """Formats of the architecture, or of the models of the same size, and the families that they are of."""
    entries = [entry for entry in alike if entry.fill_in_the_middle] or [
        entry
        for entry in catalogue().values()
        if entry.fill_in_the_middle and entry.config.get("model_type") in facts.architectures
    ]
    return {entry.format: entry.title for entry in reversed(entries)}


def _unlikeliness(form: FimFormat, usual: Mapping[str, str], tokenizer: Tokenizer) -> tuple[bool, bool, int]:
    """Where a format stands in the order in which they are tried."""
    files = form.files.pieces
    shows_files = all(tokenizer.special_id(piece) is not None for piece in files)
    return form.name not in usual, form.order == "spm", -len(files) if shows_files else 0


def _one_for_each_order(forms: Iterable[FimFormat]) -> tuple[FimFormat, ...]:
    """The first format of each layout: those that differ in more only differ in how files are shown."""
    found: dict[tuple[str, ...], FimFormat] = {}
    for form in forms:
        found.setdefault(form.layout, form)
    return tuple(found.values())


def _is_shared(facts: Facts, form: FimFormat, alike: Iterable[CatalogueEntry]) -> bool:
    """Whether a model that was not trained on the format may have its architecture and sentinels."""
    is_general = any((architecture, form.name) in _SHARED for architecture in facts.architectures)
    return is_general or any(
        not entry.fill_in_the_middle or entry.verified == "unverified" for entry in alike
    )


def _verified(found: Identity, facts: Facts, tokenizer: Tokenizer) -> Identity:
    """The identity, unless a sentinel of it is not one piece of the vocabulary."""
    pieces = dict.fromkeys((*found.form.sentinels, *filter(None, [found.form.bos])))
    missing = next((piece for piece in pieces if tokenizer.special_id(piece) is None), None)
    if missing is None:
        return found
    name = found.form.name
    why = f"{facts.title} cannot be asked in the format {name}: {missing} is not one piece of its vocabulary"
    return replace(_causal(why), family=found.family, instruct=found.instruct)


def _causal(why: str) -> Identity:
    return Identity(FORMATS["causal"], "causal", f"{why}; it is shown only what stands before the cursor.")
