"""Text in which a sentinel is spelled out, for engines over HTTP that would take it for the sentinel.

Prompts of token ids are safe from that; a prompt that is sent as text is not, and there is no way to write a
sentinel so that it is not one. So what is shown ends before it: a short context is better than a broken one.
"""

from __future__ import annotations

import re
from dataclasses import replace

from lsp_server.completion.fim import FimPrompt
from lsp_server.completion.formats import FimFormat


def without_spelled(prompt: FimPrompt, form: FimFormat) -> FimPrompt:
    """The part of a prompt around the cursor that spells no special piece of the format.

    Other files that spell one are left out whole.
    """
    pieces = {piece.lstrip("▁") for piece in form.pieces} | set(form.stop_texts)
    spelled = re.compile("|".join(map(re.escape, sorted(pieces, key=len, reverse=True))))
    ends = [found.end() for found in spelled.finditer(prompt.prefix + prompt.typed)]
    begin = ends[-1] if ends else 0
    first = spelled.search(prompt.suffix)
    return replace(
        prompt,
        prefix=prompt.prefix[begin:],
        typed=prompt.typed[max(0, begin - len(prompt.prefix)) :],
        suffix=prompt.suffix[: first.start()] if first else prompt.suffix,
        path="" if spelled.search(prompt.path) else prompt.path,
        snippets=tuple(each for each in prompt.snippets if not spelled.search(each.path + each.text)),
    )
