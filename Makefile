# Everything a developer types. `make` alone says what there is.

.DEFAULT_GOAL := help
.PHONY: help run demo test check format lock faults bench clean setup

# The first of these that is there and new enough.
FIND_PYTHON = for name in python3.13 python3.12 python3.11 python3; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$name; exit; fi; done
BIN := .venv/bin
PYTHON := $(BIN)/python
SOURCES := contracts servicekit services gateway devstack yichuang bench tests
# One part of the tests: make test T=tests/gateway
T ?=
# Two processes overlap what waits for brokers and databases; more would wait for each other.
IN_PARALLEL := --numprocesses=2 --dist=loadgroup
# How long a storm lasts, seconds
S ?= 180
SEED ?=
# Parts of the measurements and their size: make bench B="intake gateway" SIZE=quick|usual|full
B ?=
SIZE ?= usual

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or newer was not found. Debian, Ubuntu: apt install python3 python3-venv" >&2; exit 1; \
	fi; \
	$$python devstack/bootstrap.py

run: setup ## start everything, walk one case through it, keep serving; ctrl-C stops it
	@$(PYTHON) -m devstack run

demo: setup ## the same, but stop after the case; fails when a step is not as it should be
	@$(PYTHON) -m devstack demo

test: setup ## the whole test suite, or a part: make test T=tests/gateway
	@tools=$$(deploy/observability/get-promtool.sh); PATH="$${tools:+$$tools:}$$PATH" $(PYTHON) -m pytest $(IN_PARALLEL) $(T)

check: setup ## format, lint, types, import directions, architecture, contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy $(SOURCES)
	@$(BIN)/lint-imports
	@$(PYTHON) -m pytest -q tests/architecture tests/contracts

faults: setup ## a storm of random faults over real processes: make faults S=600 SEED=7
	@$(PYTHON) -m tests.faults.storm --seconds $(S) $(if $(SEED),--seed $(SEED))

bench: setup ## measure everything into bench/results.md, or parts: make bench B="intake gateway"
	@$(PYTHON) -m bench $(B) --size $(SIZE)

format: setup ## format the source and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup ## compile requirements.lock from pyproject.toml
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --extra dev --extra devstack pyproject.toml -o requirements.lock

clean: ## delete databases, events, secrets and logs of `make run` (not .venv)
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m devstack clean; else rm -rf .local; fi
