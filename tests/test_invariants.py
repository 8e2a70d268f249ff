"""What import-linter cannot see."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "lsp_server"
MODULES = sorted(PACKAGE.rglob("*.py"))
THREADS = {"threading", "_thread", "multiprocessing"}
LONGEST_FUNCTION_LINES = 50
LONGEST_MODULE_LINES = 300


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_engine_owns_a_thread(path):
    names = set(imported(ast.parse(path.read_text(encoding="utf-8"))))
    owns = names & THREADS or any(name.startswith("concurrent.futures.Thread") for name in names)
    assert not owns or path.parent.name == "engine"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_function_and_no_module_is_too_long(path):
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= LONGEST_MODULE_LINES
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION_LINES, node.name


def test_what_a_server_imports_to_start_holds_no_model_library_and_no_catalogue():
    code = (
        "import sys, lsp_server.cli.serve\n"
        "large = 'torch transformers xllamacpp ik_llama_cpp httpx'.split()\n"
        "large += 'tokenizers numpy gguf safetensors'.split()\n"
        "catalogues = {name for name in sys.modules if name.startswith('lsp_server.models')}\n"
        "print(*(set(large) & set(sys.modules) | catalogues))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
