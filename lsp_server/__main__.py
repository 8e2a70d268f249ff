"""``python -m lsp_server`` is the same as ``fim-ls``."""

import sys

from lsp_server.cli import main

sys.exit(main())
