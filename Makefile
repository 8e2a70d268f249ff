# Each target makes .venv if it is not there and reuses it if it is; only the first run needs a network.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
SOURCES := lsp_server tests benchmarks docs training

.PHONY: demo test lint format bench clean
.DELETE_ON_ERROR:

demo: $(VENV)/core.stamp  ## complete a sample with the embedded model and draw the ghost text
	@$(BIN)/fim-ls demo

test: $(VENV)/dev.stamp  ## all tests; those that need an editor which is not installed are skipped
	$(BIN)/python -m pytest

lint: $(VENV)/dev.stamp  ## style, types and the directions of imports
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp  ## put the code into its standard form
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: $(VENV)/dev.stamp  ## the measured table of the README
	$(BIN)/python benchmarks/first_screen.py

clean:  ## forget the virtual environment
	rm -rf $(VENV)

$(VENV)/core.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -c constraints.txt -e '.[dev,transformers,quantised]'
	@touch $@ $(VENV)/core.stamp

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fim-ls needs Python 3.11 or newer.")'
	$(PYTHON) -m venv $(VENV)
