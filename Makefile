# Each target makes .venv if it is not there and reuses it if it is; only the first run needs a network.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
SOURCES := lsp_server tests benchmarks docs training

.PHONY: demo test test-editors images editors lint format bench clean
.DELETE_ON_ERROR:

demo: $(VENV)/core.stamp  ## complete a sample with the embedded model and draw the ghost text
	@$(BIN)/fim-ls demo

test: $(VENV)/dev.stamp  ## all tests; those that need an editor which is not installed are skipped
	$(BIN)/python -m pytest

test-editors: editors  ## the tests that drive real editors, none of which may be missing
	FIM_LS_EDITORS_REQUIRED=1 $(BIN)/python -m pytest tests/editors

images: editors  ## the pictures of the documentation, which those tests make
	FIM_LS_EDITORS_REQUIRED=1 FIM_LS_IMAGES=docs/images $(BIN)/python -m pytest tests/editors -m picture

editors: $(VENV)/dev.stamp  ## the editors themselves, under .venv; what is there already is left
	tests/editors/install.sh

lint: $(VENV)/dev.stamp  ## style, types and the directions of imports
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp  ## put the code into its standard form
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: $(VENV)/dev.stamp  ## the measured tables of the README and of docs/performance.md; more than an hour
	$(BIN)/python benchmarks/first_screen.py
	$(BIN)/python benchmarks/large_file.py
	$(BIN)/python benchmarks/engines.py
	$(BIN)/python benchmarks/quality.py
	$(BIN)/python benchmarks/keystrokes.py

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
