"""The filters on code that people wrote: this package's own functions, taken out and put back."""

import ast
from pathlib import Path

import lsp_server
from lsp_server.completion.document import Document
from lsp_server.completion.postprocess import FilterContext, postprocess

RUN_ON_CHARACTERS = 300


def bodies():
    """Each function's body with what is before and after it."""
    for path in sorted((Path(lsp_server.__file__).parent / "completion").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        lines = source.split("\n")
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.body[0].lineno > node.lineno:
                # Columns are UTF-8 bytes, but before a statement there are blanks only.
                start = starts[node.body[0].lineno - 1] + node.body[0].col_offset
                end = starts[node.end_lineno] - 1
                yield source[:start], source[start:end], source[end:]


def shown(before, model, after):
    snapshot = Document("file:///own", "python", before + after).at_offset(len(before))
    context = FilterContext(snapshot, multiline=True, finish_reason="stop")
    return [suggestion.text for suggestion in postprocess([model], context).suggestions]


def test_a_right_answer_is_never_changed():
    wrong = [body for before, body, after in bodies() if shown(before, body, after) != [body]]
    assert wrong == []


def test_a_model_that_runs_on_is_cut_back_to_the_right_answer():
    wrong = [
        body
        for before, body, after in bodies()
        if shown(before, body + after[:RUN_ON_CHARACTERS], after) != [body]
    ]
    assert wrong == []
