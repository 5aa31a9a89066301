# airloop. `make demo` and `make test` need Python 3.11+, make and the package index; everything else is theirs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Set on some machines and in CI; imports without byte code cost two to three times as much.
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV

PYTHON ?= python3
HOME_DIR := .airloop
UV := $(HOME_DIR)/uv/bin/uv
BIN := $(HOME_DIR)/venv/bin

.PHONY: help demo test faults check up down bench dist clean docs

help: ## what each target does
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-10s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(HOME_DIR)/base.stamp ## the whole loop on a year of real flights; on macOS three months (MONTHS=6 for six)
	@$(BIN)/airloop demo $(if $(MONTHS),--months $(MONTHS))

test: $(HOME_DIR)/dev.stamp ## all tests: unit, DAGs, integration, e2e
	@$(BIN)/python -m pytest -n logical --maxprocesses 4 --no-loadscope-reorder $(PYTEST_ARGS)

faults: $(HOME_DIR)/dev.stamp ## plant faults into a month of flights: what is said to each
	@$(BIN)/python -m tests.faults

check: $(HOME_DIR)/dev.stamp ## ruff, mypy, import-linter, the documents' links; read-only
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python docs/site.py

docs: $(HOME_DIR)/dev.stamp ## the documents as a site, with the reference made from the code
	@$(BIN)/python docs/site.py

up: $(HOME_DIR)/base.stamp ## start the platform on this machine; Ctrl-C stops it
	@$(BIN)/airloop up

down: $(HOME_DIR)/base.stamp ## stop the platform
	@$(BIN)/airloop down

bench: $(HOME_DIR)/dev.stamp ## measure what the README claims
	@$(BIN)/python -m benchmarks

dist: $(HOME_DIR)/base.stamp ## the wheel that projects of their own depend on: airloop init DIR
	@rm -rf build
	@SOURCE_DATE_EPOCH=315532800 $(UV) build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir dist .
	@rm -rf build
	@ls dist/*.whl

clean: ## remove everything airloop wrote, its environment included
	@if [ -x $(BIN)/airloop ]; then $(BIN)/airloop down; fi
	@rm -rf $(HOME_DIR) build dist include/*.egg-info

$(UV):
	@echo "creating the environment below $(HOME_DIR)/"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "airloop needs Python 3.11 or newer; this is " + sys.version + "; give one by make PYTHON=...")'
	@$(PYTHON) -m venv $(HOME_DIR)/uv
	@$(HOME_DIR)/uv/bin/python -m pip install --quiet --disable-pip-version-check uv

# The dev environment holds the base one, so whichever was made last serves `make demo`.
$(HOME_DIR)/base.stamp: requirements/base.lock pyproject.toml | $(UV)
	@if [ -f $(HOME_DIR)/dev.stamp ] && [ $(HOME_DIR)/dev.stamp -nt requirements/base.lock ]; then :; else $(call install,base); fi
	@touch $@

$(HOME_DIR)/dev.stamp: requirements/dev.lock pyproject.toml | $(UV)
	@$(call install,dev)
	@touch $@

define install
	echo "installing requirements/$(1).lock" && \
	mkdir -p $(HOME_DIR)/tmp && export TMPDIR=$(abspath $(HOME_DIR)/tmp) && \
	( [ -x $(BIN)/python ] || $(UV) venv --quiet --python $(PYTHON) $(HOME_DIR)/venv ) && \
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/$(1).lock && \
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
endef
