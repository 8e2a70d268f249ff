"""llama.cpp's own HTTP server: python benchmarks/reference_server.py MODEL.gguf [THREADS]; tells its address.

One slot and its prompt cache, as its presets for completion in editors have it (``--fim-…-default``). It
reads prompts with all cores, in batches of ours, so that it can leave one that was given up. It writes with
one thread less than there are cores, as our backends do: with one more it is faster where nothing else runs,
for more CPU time, and elsewhere all threads wait for the one whose core something else has taken.
"""

from __future__ import annotations

import os
import sys
import threading

import xllamacpp

from lsp_server.backends.base import PREFILL_PIECE_TOKENS

CONTEXT_TOKENS = 1024
CACHE_REUSE_TOKENS = 256
"""A stretch of so many tokens is used again where it stands elsewhere in the prompt."""


def main() -> None:
    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    params.n_ctx, params.n_parallel, params.verbosity, params.port = CONTEXT_TOKENS, 1, -1, 0
    params.n_cache_reuse = CACHE_REUSE_TOKENS
    params.n_batch = params.n_ubatch = PREFILL_PIECE_TOKENS
    cores = os.cpu_count() or 1
    params.cpuparams_batch.n_threads = cores
    params.cpuparams.n_threads = int(sys.argv[2]) if len(sys.argv) > 2 else max(1, cores - 1)
    params.endpoint_metrics = True
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
