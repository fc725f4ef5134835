# make demo   sets up .venv and runs the demo          make test    sets up .venv and runs the tests
# make check  lint, types, layers and tests            make bench   prints the benchmark table
# make test-vllm  vLLM's server with the plugin, in an environment of its own of 3.5 GB

PYTHON ?= python3
VENV   ?= .venv
TORCH  ?= torch==2.13.0
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip --disable-pip-version-check --quiet

.PHONY: demo test test-vllm lint check bench clean

demo: $(VENV)/.project
	$(BIN)/structgen demo

test: $(VENV)/.tests
	$(BIN)/pytest

test-vllm:
	PYTHONPATH=tests $(PYTHON) -m real_vllm --environment .venv-vllm

lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

check: lint test

bench: $(VENV)/.tests
	$(BIN)/python -m bench

# torch goes first and pinned, so that pip does not choose another build of it for the project's sake
$(VENV)/.torch:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install '$(TORCH)'
	touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.torch
	$(PIP) install --editable .
	touch $@

$(VENV)/.tests: pyproject.toml $(VENV)/.project
	$(PIP) install --editable '.[test]'
	touch $@

clean:
	rm -rf $(VENV) .venv-vllm .pytest_cache .ruff_cache .hypothesis
