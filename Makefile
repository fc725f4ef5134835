# make demo   sets up .venv and runs the demo          make test    sets up .venv and runs the tests
# make check  lint, types, layers and tests            make bench   fetches data, prints a benchmark table
# make bench SUITE='schema --schemas 60'                 runs another suite: docs/benchmarks.md
# make lock   resolves the locks anew                  make drift   runs the host tests on the newest releases
# make picture  draws the picture of README.md anew      make plots   draws the charts of docs/benchmarks.md
# make site   builds the documentation into site/, in an environment of its own of 155 MB
# make test-outside  other people's suites against the server, in an environment of its own
# make newcomer  clones the project and goes the way of a first hour: demo, a PDF, the proof, the server
# make newcomer NEWCOMER=--reuse   the same with this checkout's environment, in a quarter of a minute
# make test-ray  Ray Data, Ray Serve and the recipe for Daft, in an environment of its own of 2 GB
# make test-vllm  vLLM's server with the plugin, in an environment of its own of 3.5 GB
# make test-vllm OVERLAY=0.33.0   the same with that version's Python over the compiled parts of 0.32
# make test-sglang  the plugin in SGLang's own Python modules, in an environment of 5 GB

PYTHON  ?= python3
VENV    ?= .venv
WORKERS ?= 2
SUITE   ?= step
NEWCOMER ?=
OVERLAY ?=
UV      := uv==0.13.9
BIN     := $(VENV)/bin
PIP     := $(BIN)/pip --disable-pip-version-check --quiet
LOCKS   := .ci/locks
RESOLVE := .venv-lock/bin/uv pip compile pyproject.toml $(LOCKS)/build.in \
           --universal --python-version 3.11 --upgrade --no-annotate --quiet \
           --custom-compile-command 'make lock'

# Ray's processes find the tests by the path; one process reads Parquet files, where Ray would start sixteen
RAY     := PYTHONPATH=tests RAY_DATA_USE_DATASOURCE_V2=0 RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=disabled \
           RAY_worker_niceness=0

.PHONY: demo newcomer picture site test test-outside test-ray test-sglang test-vllm lint check bench plots lock drift clean

demo: $(VENV)/.project
	$(BIN)/structgen demo

picture: $(VENV)/.project
	$(BIN)/structgen demo --picture docs/images/canvas.svg

test: $(VENV)/.tests
	$(BIN)/pytest --numprocesses $(WORKERS)

test-outside: $(VENV)/.tests
	PYTHONPATH=tests $(BIN)/python -m outside --environment .venv-outside --page docs/benchmarks/server.md

newcomer:
	tests/outside/newcomer.sh $(NEWCOMER)

test-vllm:
	PYTHONPATH=tests $(PYTHON) -m real_vllm --environment .venv-vllm $(if $(OVERLAY),--overlay $(OVERLAY))

test-sglang:
	PYTHONPATH=tests $(PYTHON) -m real_sglang --environment .venv-sglang

test-ray: .venv-ray/.ready
	$(RAY) .venv-ray/bin/pytest -s tests/integrations/test_ray.py tests/integrations/test_ray_serve.py \
	       tests/integrations/test_daft.py

site: .venv-site
	.venv-site/bin/zensical build --clean --strict

lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

check: lint test

bench: $(VENV)/.bench
	$(BIN)/python -m bench data
	$(BIN)/python -m bench $(SUITE)

plots: $(VENV)/.bench
	$(BIN)/python -m bench plots

lock: .venv-lock
	$(RESOLVE) --output-file $(LOCKS)/demo.txt
	$(RESOLVE) --extra test --output-file $(LOCKS)/test.txt
	$(RESOLVE) --extra test --extra bench --extra training --output-file $(LOCKS)/bench.txt
	.venv-lock/bin/uv pip compile $(LOCKS)/site.in --universal --python-version 3.11 --upgrade --no-annotate --quiet \
	           --custom-compile-command 'make lock' --output-file $(LOCKS)/site.txt
	.venv-lock/bin/uv pip compile pyproject.toml $(LOCKS)/sglang.in --constraint $(LOCKS)/test.txt --universal \
	           --python-version 3.11 --no-annotate --quiet --custom-compile-command 'make lock' --output-file $(LOCKS)/sglang.txt
	$(RESOLVE) $(LOCKS)/ray.in --extra ray --extra serve --output-file $(LOCKS)/ray.txt

drift: $(VENV)/.tests
	PYTHONPATH=tests $(BIN)/python -m drift --environment .venv-drift

.venv-lock:
	$(PYTHON) -m venv $@
	$@/bin/pip --disable-pip-version-check --quiet install $(UV)

.venv-site: $(LOCKS)/site.txt
	$(PYTHON) -m venv $@
	$@/bin/pip --disable-pip-version-check --quiet install --requirement $<
	touch $@

.venv-ray/.ready: pyproject.toml $(LOCKS)/ray.txt
	$(PYTHON) -m venv .venv-ray
	.venv-ray/bin/pip --disable-pip-version-check --quiet install --constraint $(LOCKS)/ray.txt torch
	.venv-ray/bin/pip --disable-pip-version-check --quiet install --constraint $(LOCKS)/ray.txt --requirement $(LOCKS)/ray.in
	.venv-ray/bin/pip --disable-pip-version-check --quiet install --constraint $(LOCKS)/ray.txt \
	           --no-build-isolation --editable '.[ray,serve]'
	touch $@

# torch goes first, so that pip takes the build that the machine offers; everything comes from the locks
$(VENV)/.torch: $(LOCKS)/demo.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --constraint $(LOCKS)/demo.txt torch
	$(PIP) install --constraint $(LOCKS)/demo.txt editables hatchling
	touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.torch
	$(PIP) install --constraint $(LOCKS)/demo.txt --no-build-isolation --editable .
	touch $@

$(VENV)/.tests: pyproject.toml $(LOCKS)/test.txt $(VENV)/.project
	$(PIP) install --constraint $(LOCKS)/test.txt --no-build-isolation --editable '.[test]'
	touch $@

$(VENV)/.bench: pyproject.toml $(LOCKS)/bench.txt $(VENV)/.tests
	$(PIP) install --constraint $(LOCKS)/bench.txt --no-build-isolation --editable '.[test,bench,training]'
	touch $@

clean:
	rm -rf .data $(VENV) .venv-lock .venv-drift .venv-outside* .venv-ray .venv-sglang .venv-site .venv-vllm site .cache .pytest_cache .ruff_cache .hypothesis
