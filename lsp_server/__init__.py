"""fim-ls: a language server that writes the code at the cursor."""

__version__ = "0.1.0"
