"""Our tokenizers and llama.cpp's give the same ids, for each kind of vocabulary and way to part words."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import decoders

from lsp_server.backends.base import GenerationRequest, Report, SamplingParams
from lsp_server.backends.llama_cpp import LlamaCppBackend
from lsp_server.engine.handoff import pull
from lsp_server.models import gguf
from lsp_server.models.pretokenizers import PRETOKENIZERS
from lsp_server.models.tokenizer import GgufTokenizer
from lsp_server.settings import Settings

pytestmark = pytest.mark.model

STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])
FILES = ["argparse.py", "this.py", "html/entities.py", "encodings/cp1252.py", "stringprep.py", "turtle.py"]

# Where vocabularies differ: contractions, digits, runs of white space, marks, scripts, and names of pieces.
PIECES = [
    "'s",
    "'S",
    "'ll",
    "'Re",
    "\u017f",
    "'\u017f",
    "0",
    "12",
    "345",
    "²",
    "½",
    "Ⅷ",
    "a",
    "Bar_baz",
    "é",
    "e\u0301",
]
PIECES += ["(", "))", "+=", "$", "^", "`", "~", "|", "_", "▁", "Ġ", "Ċ", "def", "return"]
PIECES += ["中文", "かな", "한국", "ࠀ", "🙂", "👩\u200d💻", "<fim_prefix>", "<|endoftext|>", "<0x0A>"]
BLANKS = [
    " ",
    "  ",
    "       ",
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    "\u00a0",
    "\u2003",
    "\u3000",
    "\x85",
    "\0",
    "\x04",
]
CHARACTERS = st.characters(exclude_categories=("Cs",))
TEXTS = st.lists(
    st.sampled_from(PIECES) | st.sampled_from(BLANKS) | st.text(CHARACTERS, max_size=3), max_size=20
).map("".join)


class Reference:
    """llama.cpp's tokenizer, asked through its server."""

    def __init__(self, path: Path) -> None:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = 64
        params.n_parallel = 1
        params.warmup = False
        params.verbosity = -1
        self._server = xllamacpp.Server(params)
        self._client = httpx.Client(base_url=self._server.listening_address)

    def encode(self, text: str) -> list[int]:
        body = {"content": text, "add_special": False, "parse_special": False}
        tokens: list[int] = self._client.post("/tokenize", json=body).raise_for_status().json()["tokens"]
        return tokens

    def close(self) -> None:
        self._client.close()
        del self._server


def assert_same(tokenizer: GgufTokenizer, reference: Reference, text: str) -> None:
    assert tokenizer.encode(text) == reference.encode(text)


@pytest.fixture(scope="module")
def embedded(embedded_gguf: Path) -> Iterator[tuple[GgufTokenizer, Reference]]:
    reference = Reference(embedded_gguf)
    yield GgufTokenizer(gguf.read(embedded_gguf)), reference
    reference.close()


@given(text=TEXTS)
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_embedded_model_is_given_the_ids_that_its_engine_would_give(
    embedded: tuple[GgufTokenizer, Reference], text: str
) -> None:
    assert_same(*embedded, text)


@pytest.mark.parametrize("name", FILES)
def test_real_files_have_the_same_ids(embedded: tuple[GgufTokenizer, Reference], name: str) -> None:
    text = (STANDARD_LIBRARY / name).read_text(encoding="utf-8")
    assert_same(*embedded, text)
    assert embedded[0].decode(embedded[0].encode(text)) == text


# -- other vocabularies, put together from the embedded model's, in a llama that is just big enough to load

WIDTH = 32
SQUARES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


Metadata = dict[str, Any]
WriteLlama = Callable[[Metadata], Path]


@pytest.fixture
def write_llama(write_gguf: Callable[..., Path]) -> WriteLlama:
    return lambda vocabulary: write_gguf(LLAMA | vocabulary, llama_tensors(vocabulary))


LLAMA = {
    "general.architecture": "llama",
    "llama.block_count": 1,
    "llama.context_length": 64,
    "llama.embedding_length": WIDTH,
    "llama.feed_forward_length": WIDTH,
    "llama.attention.head_count": 1,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
    "tokenizer.ggml.bos_token_id": 1,
    "tokenizer.ggml.eos_token_id": 2,
}


def llama_tensors(vocabulary: Metadata) -> dict[str, tuple[int, ...]]:
    pieces = len(vocabulary["tokenizer.ggml.tokens"])
    tensors: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (WIDTH, pieces),
        "output_norm.weight": (WIDTH,),
    }
    tensors |= {f"blk.0.{name}.weight": (WIDTH, WIDTH) for name in SQUARES}
    tensors |= {f"blk.0.{name}_norm.weight": (WIDTH,) for name in ("attn", "ffn")}
    return tensors


@pytest.fixture(scope="module")
def vocabulary(embedded_gguf: Path) -> Metadata:
    header = gguf.read(embedded_gguf)
    names = ("tokens", "token_type", "merges")
    return {
        "tokenizer.ggml.model": "gpt2",
        **{f"tokenizer.ggml.{name}": header.metadata[f"tokenizer.ggml.{name}"] for name in names},
    }


def check_many(path: Path) -> None:
    tokenizer, reference = GgufTokenizer(gguf.read(path)), Reference(path)

    @given(text=TEXTS)
    @settings(max_examples=150, deadline=None)
    def check(text: str) -> None:
        assert_same(tokenizer, reference, text)

    try:
        check()
        assert_same(tokenizer, reference, (STANDARD_LIBRARY / "this.py").read_text(encoding="utf-8"))
    finally:
        reference.close()


ONE_OF_EACH = {pre_tokenizer: name for name, pre_tokenizer in PRETOKENIZERS.items()}


@pytest.mark.parametrize("pre", ONE_OF_EACH.values())
def test_words_are_parted_as_llama_cpp_parts_them(
    write_llama: WriteLlama, vocabulary: Metadata, pre: str
) -> None:
    check_many(write_llama(vocabulary | {"tokenizer.ggml.pre": pre}))


def test_added_runs_of_white_space_are_taken_as_llama_cpp_takes_them(
    write_llama: WriteLlama, vocabulary: Metadata
) -> None:
    runs = [" " * length for length in range(2, 7)] + ["\t\t", "\n\n"]
    tokens = [*vocabulary["tokenizer.ggml.tokens"], *runs]
    types = [*vocabulary["tokenizer.ggml.token_type"], *[4] * len(runs)]
    added = {
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.pre": "gpt-2",
    }
    check_many(write_llama(vocabulary | added))


@pytest.mark.parametrize("space_prefix", [True, False])
def test_sentencepiece_vocabularies_are_merged_as_llama_cpp_merges_them(
    write_llama: WriteLlama, vocabulary: Metadata, space_prefix: bool
) -> None:
    decoder = decoders.ByteLevel()
    texts = (decoder.decode([piece]).replace(" ", "▁") for piece in vocabulary["tokenizer.ggml.tokens"][17:])
    whole = [text for text in texts if not {"\ufffd", "\0"} & set(text)]
    plain = list(dict.fromkeys([*whole, *"".join(whole)]))  # each character is a piece too, as in real ones
    special, spelled_bytes = ["<unk>", "<s>", "</s>"], [f"<0x{byte:02X}>" for byte in range(256)]
    metadata = {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.add_space_prefix": space_prefix,
        "tokenizer.ggml.tokens": [*special, *spelled_bytes, *plain],
        "tokenizer.ggml.token_type": [2, 3, 3, *[6] * 256, *[1] * len(plain)],
        "tokenizer.ggml.scores": [0.0] * 259 + [-float(rank) for rank in range(len(plain))],
    }
    check_many(write_llama(metadata))


def test_llama_cpp_gives_the_first_piece_of_an_answer_with_its_blank(write_llama: WriteLlama) -> None:
    pieces = ["<unk>", "<s>", "</s>", "<0x0A>", "▁abc"]
    path = write_llama(
        {
            "tokenizer.ggml.model": "llama",
            "tokenizer.ggml.tokens": pieces,
            "tokenizer.ggml.token_type": [2, 3, 3, 6, 1],
            "tokenizer.ggml.scores": [0.0] * 5,
        }
    )
    backend = LlamaCppBackend(path, GgufTokenizer(gguf.read(path)), Settings(), pull, 64)
    backend.load(lambda _share: None)
    # Only one piece begins with what is to be spelled again, whatever the model would have chosen.
    request = GenerationRequest("", (1,), " a", sampling=SamplingParams(max_new_tokens=1))
    assert "".join(backend.generate(request, Report())) == "bc"
    backend.close()
