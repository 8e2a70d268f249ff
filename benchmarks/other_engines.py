"""Engines that we do not use, beside ours: python benchmarks/engines.py ik_llama OpenVINO CTranslate2.

They take what is not installed with us, best in a virtual environment of their own: pip install accelerate
ctranslate2 onnx onnx-ir onnxruntime onnxruntime-genai openvino-genai torch transformers. The weights are
those of the embedded model, converted once into the folder ``engines`` beside it. Each reads a prompt in one
go, so that it cannot be left meanwhile, and chooses its tokens itself.
"""
# ruff: noqa: PLC0415 - each engine brings its own library

from __future__ import annotations

import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from lsp_server.backends.base import GenerationRequest, Report, SamplingParams
from lsp_server.backends.ik_reader import common_length
from lsp_server.completion.item import Usage
from lsp_server.engine.handoff import pull
from lsp_server.models.embedded import fetch
from lsp_server.models.registry import REGISTRY

LONGEST = 1024
"""Tokens of a prompt and its answer."""


def weights() -> Path:
    """The embedded model's file."""
    path = fetch(REGISTRY["smollm2-135m"], lambda _share: None, lambda: False)
    assert path is not None
    return path


def made(name: str, make: Callable[[Path], object]) -> Path:
    """The folder of this name with weights in it, made if it is not there."""
    folder = weights().parent / "engines" / name
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        partial.parent.mkdir(exist_ok=True)
        make(partial)
        partial.rename(folder)
    return folder


def checkpoint() -> Path:
    """The weights as transformers writes them, in float32."""
    return made("checkpoint", lambda to: run(__file__, to))


def write_checkpoint(folder: str) -> None:
    """Make them; in a process of its own, whose memory is not measured."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    home, file = weights().parent, weights().name
    read = AutoModelForCausalLM.from_pretrained(home, gguf_file=file, dtype=torch.float32)
    del read.config.quantization_config  # it would not be written
    plain = AutoModelForCausalLM.from_config(read.config, dtype=torch.float32)
    plain.load_state_dict(read.state_dict())
    plain.save_pretrained(folder)
    AutoTokenizer.from_pretrained(home, gguf_file=file).save_pretrained(folder)


def run(*command: str | Path) -> None:
    """Run Python, without what it says as long as all goes well."""
    offline = os.environ | {"HF_HUB_OFFLINE": "1"}
    subprocess.run([sys.executable, *map(str, command)], check=True, capture_output=True, env=offline)


class Other(ABC):
    """One of them; an empty piece is a token."""

    keeps_what_it_read = True

    @abstractmethod
    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        """As a ``Backend`` does."""


class CTranslate2(Other):
    """Int8."""

    keeps_what_it_read = False

    def __init__(self, threads: int) -> None:
        import ctranslate2

        hf, convert = checkpoint(), "ctranslate2.converters.transformers"
        path = made(
            "ctranslate2",
            lambda to: run("-m", convert, "--model", hf, "--output_dir", to, "--quantization", "int8"),
        )
        self._generator = ctranslate2.Generator(str(path), compute_type="int8", intra_threads=threads)
        self._pieces = json.loads((path / "vocabulary.json").read_text())

    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        prompt, most = [self._pieces[id_] for id_ in request.ids or ()], request.sampling.max_new_tokens

        def push(offer: Callable[[str], bool]) -> None:
            self._generator.generate_batch(
                [prompt],
                max_length=most,
                include_prompt_in_result=False,
                end_token=[],
                callback=lambda _step: not offer(""),
            )

        for number, piece in enumerate(pull(push), start=1):
            report.usage = Usage(len(prompt), 0, number)
            yield piece


class OnnxRuntime(Other):
    """ONNX Runtime GenAI; it can go back in what it has read."""

    def __init__(self, threads: int, precision: str) -> None:
        import onnxruntime_genai

        hf, build = checkpoint(), "onnxruntime_genai.models.builder"
        options = ("-p", precision, "-e", "cpu", "--extra_options", "hf_token=false")
        path = made(f"onnx-{precision}", lambda to: run("-m", build, "-i", hf, "-o", to, *options))
        config = onnxruntime_genai.Config(str(path))
        session = {"session_options": {"intra_op_num_threads": threads}}
        config.overlay(json.dumps({"model": {"decoder": session}}))
        model = onnxruntime_genai.Model(config)
        parameters = onnxruntime_genai.GeneratorParams(model)
        parameters.set_search_options(max_length=LONGEST, min_length=LONGEST, do_sample=False)
        self._generator = onnxruntime_genai.Generator(model, parameters)
        self._read: list[int] = []

    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        ids = list(request.ids or ())
        kept = common_length(self._read, ids[:-1])
        self._generator.rewind_to(kept)
        self._generator.append_tokens(ids[kept:])
        self._read = ids
        for number in range(1, request.sampling.max_new_tokens + 1):
            self._generator.generate_next_token()
            report.usage = Usage(len(ids), kept, number)
            yield ""


class OpenVino(Other):
    """OpenVINO GenAI reads the GGUF file itself; it goes on from the part of a prompt that it has read."""

    def __init__(self, threads: int) -> None:
        import openvino_genai

        self._genai = openvino_genai
        self._pipeline = openvino_genai.LLMPipeline(str(weights()), "CPU", INFERENCE_NUM_THREADS=threads)

    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        import numpy as np
        import openvino

        ids = np.array([request.ids], dtype=np.int64)
        prompt = self._genai.TokenizedInputs(openvino.Tensor(ids), openvino.Tensor(np.ones_like(ids)))
        config = self._genai.GenerationConfig()
        config.max_new_tokens, config.ignore_eos = request.sampling.max_new_tokens, True
        running, stop = self._genai.StreamingStatus.RUNNING, self._genai.StreamingStatus.STOP

        class Streamer(self._genai.StreamerBase):  # type: ignore[misc, name-defined]
            def __init__(self, offer: Callable[[str], bool]) -> None:
                super().__init__()
                self._offer = offer

            def write(self, _token: int | list[int]) -> Any:
                return running if self._offer("") else stop

            def end(self) -> None:
                pass

        for number, piece in enumerate(
            pull(lambda offer: self._pipeline.generate(prompt, config, Streamer(offer))), start=1
        ):
            report.usage = Usage(len(ids[0]), 0, number)
            yield piece


class Compiled(Other):
    """transformers in bfloat16, its step of one token compiled by torch; that takes a C++ compiler."""

    def __init__(self, threads: int) -> None:
        import torch
        from transformers import AutoModelForCausalLM, StaticCache

        torch.set_num_threads(threads)
        self._torch = torch
        self._model = AutoModelForCausalLM.from_pretrained(checkpoint(), dtype=torch.bfloat16)
        self._cache = StaticCache(config=self._model.config, max_cache_len=LONGEST)
        self._step = torch.compile(self._model.forward, dynamic=False)
        self._read: list[int] = []
        for _ in self.generate(GenerationRequest("", (1, 2), sampling=SamplingParams(3)), Report()):
            pass  # it is compiled when it is run first

    def generate(self, request: GenerationRequest, report: Report) -> Generator[str, None, None]:
        ids = list(request.ids or ())
        kept = common_length(self._read, ids[:-1])
        self._read = ids
        fresh, forward = ids[kept:], self._model.forward
        for layer in self._cache.layers:
            layer.cumulative_length.fill_(kept)
        for number in range(1, request.sampling.max_new_tokens + 1):
            with self._torch.inference_mode():
                given = self._torch.tensor([fresh])
                out = forward(given, past_key_values=self._cache, logits_to_keep=1)
            fresh, forward = [int(out.logits[0, -1].argmax())], self._step
            report.usage = Usage(len(ids), kept, number)
            yield ""


OTHERS: dict[str, Callable[[int], Other]] = {
    "OpenVINO": OpenVino,
    "ONNX Runtime int4": lambda threads: OnnxRuntime(threads, "int4"),
    "ONNX Runtime int8": lambda threads: OnnxRuntime(threads, "int8"),
    "CTranslate2": CTranslate2,
    "torch bfloat16 compiled": Compiled,
}
"""By name, with a number of threads."""

if __name__ == "__main__":
    write_checkpoint(sys.argv[1])
