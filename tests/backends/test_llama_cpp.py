import pytest

from lsp_server.backends.base import GenerationRequest, Report, SamplingParams
from lsp_server.backends.llama_cpp import LlamaCppBackend, healing_grammar
from lsp_server.engine.handoff import pull
from lsp_server.models import gguf
from lsp_server.models.tokenizer import GgufTokenizer
from lsp_server.settings import Settings


def test_typed_indentation_is_not_added_to():
    assert r"[^ \t\x00]" in healing_grammar("\n    ")
    assert r"[^ \t\x00]" not in healing_grammar(" ret")
    assert r"[^ \t\x00]" not in healing_grammar("\n")


@pytest.fixture(scope="module")
def backend(embedded_gguf):
    tokenizer = GgufTokenizer(gguf.read(embedded_gguf))
    backend = LlamaCppBackend(embedded_gguf, tokenizer, Settings(), pull)
    backend.load(lambda _share: None)
    yield backend
    backend.close()


@pytest.mark.model
@pytest.mark.parametrize("healed", ['"', "\\", "\f", "\x0b", "\u2028", "é", "名", "😀", "\r\n\t", "[^]"])
def test_whatever_was_typed_can_be_spelled_again(backend, healed):
    ids = tuple(backend._tokenizer.encode("value = 1"))
    report = Report()
    request = GenerationRequest("", ids, healed, sampling=SamplingParams(max_new_tokens=2))
    list(backend.generate(request, report))
    assert report.usage.completion_tokens >= 1
