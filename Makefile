# `make run` starts everything, `make test` and `make check` check it; each sets up .venv as far as it needs.
SHELL := /bin/bash
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: audit help run test test-faults check bench bench-load bench-dashboard bench-gpu format venv venv-run browser constraints clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: venv-run ## start server, dashboard and worker; Ctrl-C ends them
	@exec $(BIN)/pathscope up

test: venv browser ## run every test, a process for each of up to 4 processors (ARGS: -n0 for one after the other, -k WORDS)
	@exec $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

audit: venv ## compare the pinned packages with published vulnerabilities; 2 where no registry answers
	@PYTHON=$(BIN)/python scripts/audit.sh

test-faults: venv ## kill, stop and starve real processes, then fuzz the API; takes long (ARGS: --short, --help)
	$(BIN)/python -m tests.faults $(ARGS)
	$(if $(ARGS),,$(BIN)/python -m pytest -s tests/faults)

check: venv ## lint, format, types, import contracts, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && export PATHSCOPE_HOME=$$home PATHSCOPE_DATABASE_URL= && \
	echo "alembic check, on a fresh database" && $(BIN)/alembic upgrade head && $(BIN)/alembic check

bench: venv ## measure speed, write benchmarks/results/*.json (ARGS: see python -m benchmarks --help)
	$(BIN)/python -m benchmarks $(ARGS)

bench-load: venv ## many watchers and readers while two runs train; needs Postgres and Redis as the tests do
	$(BIN)/python -m benchmarks --only load

bench-dashboard: venv browser ## pages, clicks, slider and live news in a browser, on SQLite and on Postgres
	$(BIN)/python -m benchmarks --only dashboard $(ARGS)

bench-gpu: ## the same on an NVIDIA GPU; PYTHON names a Python that has what the worker needs
	$(if $(PYTHON),$(PYTHON),$(BIN)/python) -m benchmarks --gpu $(ARGS)

format: venv ## format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

venv: ## make .venv with the tools for checks and tests
	@scripts/venv.sh dev

venv-run:
	@scripts/venv.sh run

browser:
	@command -v chromium chromium-browser google-chrome > /dev/null || \
	{ echo "pathscope: the tests need a browser: sudo apt-get install chromium" >&2; exit 1; }

constraints: ## pin the newest versions of everything in constraints.txt
	@scripts/constraints.sh > constraints.txt.new && mv constraints.txt.new constraints.txt

clean: ## remove .venv and caches; the state folder var/ stays
	rm -rf .venv .venv.lock .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
