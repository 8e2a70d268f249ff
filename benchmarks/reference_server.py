"""llama.cpp's own HTTP server: python benchmarks/reference_server.py MODEL.gguf; prints its address.

As it is set up for completion in editors: one slot, its prompt cache, and otherwise what it does by itself.
"""

from __future__ import annotations

import sys
import threading

import xllamacpp

CONTEXT_TOKENS = 1024


def main() -> None:
    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    params.n_ctx, params.n_parallel, params.verbosity, params.port = CONTEXT_TOKENS, 1, -1, 0
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
