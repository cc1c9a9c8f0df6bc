PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test soak fuzz bench lint type format schema rules reference pictures docs check cov clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: $(VENV)/ready ## make the virtual environment with the pinned libraries

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: setup ## the whole job on the embedded emulator, no Azure account needed
	$(BIN)/aci-reconcile demo

test: setup ## run every test
	$(BIN)/python -m pytest -n 3 -q

fuzz: setup ## the stateful tests for long: FUZZ_EXAMPLES=500, other examples each time
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-500} FUZZ_STEPS=$${FUZZ_STEPS:-20} \
	$(BIN)/python -m pytest -n 0 -q tests/stateful --hypothesis-show-statistics

soak: setup ## every cell of the fault matrix and every kill point; make test runs a tenth
	SOAK=all $(BIN)/python -m pytest -n 2 -q tests/soak

bench: setup ## 200 creates in flight at once: time, requests, memory, threads
	$(BIN)/python tests/bench/bench_apply.py

lint: setup ## style and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

type: setup ## static types
	$(BIN)/mypy

format: setup ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: setup ## generate the JSON Schemas
	$(BIN)/python schemas/generate.py

rules: setup ## generate docs/rules.md
	$(BIN)/python docs/rules.py

reference: setup ## generate docs/reference
	$(BIN)/python docs/reference.py

pictures: setup ## make the pictures of the tutorial again
	$(BIN)/python docs/pictures.py

docs: setup ## build the site in build/docs; a broken link or anchor fails
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	$(BIN)/sphinx-build -q -W --keep-going -n -b html docs build/docs

check: lint type test ## all that CI runs

cov: setup ## test coverage
	$(BIN)/coverage run -m pytest -q -n 0
	$(BIN)/coverage report --skip-covered

clean: ## remove what make and the demo made
	rm -rf $(VENV) build .aci-reconcile .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
