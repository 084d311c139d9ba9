# Every target works on a machine with python3 (3.11 to 3.13), make and a package registry, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test check dev format dictionary lock clean bench bench-peers bench-100-million

demo: .venv/.installed
	$(BIN)/progress-pipeline demo

test: .venv/.installed
	$(BIN)/pytest

check: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint dbt_like_sql
	$(BIN)/dagster definitions validate -w workspace.yaml

dev: .venv/.installed
	$(BIN)/progress-pipeline dev

format: .venv/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix dbt_like_sql

dictionary: .venv/.installed
	$(BIN)/python -m progress_pipeline.orchestration.documenting > docs/dictionary.md

# The lock holds every package for every Python and platform, with hashes and without an index's address.
lock: .venv/.installed
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-annotate --custom-compile-command "make lock" --output-file requirements.lock

# pip brings uv, from its hash in the lock; uv then brings the rest, an order of magnitude faster than pip would.
.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	    || { echo "Python 3.11, 3.12 or 3.13 is needed; $$($(PYTHON) --version) was found. Try: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv --clear .venv
	@awk '/^uv==/ { on = 1 } on { print } on && !/\\$$/ { exit }' requirements.lock > .venv/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# Under half an hour on a quiet machine; writes docs/benchmarks.md.
bench: .venv/.installed bench-peers
	$(BIN)/python -m benchmarks.bench

# What the project is compared with, each in an environment of its own; one that cannot be installed is left out.
bench-peers: .venv/.installed
	@for peer in singer airbyte; do \
	    test -e .venv/peers/$$peer/bin/python || { $(BIN)/uv venv --quiet .venv/peers/$$peer && $(BIN)/uv pip sync --quiet \
	        --python .venv/peers/$$peer/bin/python --require-hashes benchmarks/peers/$$peer.lock; } \
	    || { rm -rf .venv/peers/$$peer; echo "$$peer could not be installed, and is left out"; }; \
	done

# Without publishing. Takes about 42 GB of disk for the records, some 50 GB for the warehouse, and hours to fill it.
bench-100-million: .venv/.installed
	$(BIN)/python -m benchmarks.daily_run --unpublished --histories 100000 100000000

clean:
	rm -rf .venv
