# `make` prints the targets. Whatever needs packages makes .venv first, once: see bin/set-up.
SHELL := /bin/bash
.DEFAULT_GOAL := help
READY := .venv/.ready
RUN := .venv/bin
TWO_AT_A_TIME := --numprocesses 2 --dist loadfile  # a file's tests share what they have started
REQUIREMENTS_HEADER := '\# Exact versions of everything in pyproject.toml, made by `make requirements`: change that file, not this one.' \
	'\# Left out: nvidia-*, cuda-* and triton. torch names its own where it needs them, and its CPU build needs none.'

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(READY) ## See all of it at work in three minutes; DATA=file.csv does it with your own file
	@$(RUN)/tidewatch demo $(if $(DATA),--data "$(DATA)")

.PHONY: demo-drift
demo-drift: $(READY) ## See a sensor drift, its gauge move and a real alert fire, in three minutes
	@$(RUN)/tidewatch demo --drift

.PHONY: demo-upload
demo-upload: $(READY) ## See an upload become a detector in a minute, and try its page; DATA=file.csv does it with your own
	@$(RUN)/tidewatch demo --upload $(if $(DATA),--data "$(DATA)")

.PHONY: test
test: check ## Run every test, also on a real Kafka and the slow ones (12 minutes)
	$(RUN)/python -m pytest $(TWO_AT_A_TIME)

.PHONY: test-fast
test-fast: $(READY) ## Run the tests that need neither Kafka nor patience (3 minutes)
	$(RUN)/python -m pytest $(TWO_AT_A_TIME) -m "not kafka and not slow"

.PHONY: check
check: $(READY) ## Lint, formatting, types, directions of imports
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/mypy
	$(RUN)/lint-imports --no-logo

.PHONY: format
format: $(READY) ## Format the code and mend what ruff can mend
	$(RUN)/ruff check --fix
	$(RUN)/ruff format

.PHONY: docs
docs: $(READY) ## Write the generated references anew: docs/settings.md, docs/metrics.md, schemas/json/, Grafana's pages
	$(RUN)/python -m config.reference
	$(RUN)/python -m monitoring.reference
	$(RUN)/python -m schemas.json_schema
	$(RUN)/python -m monitoring.grafana

.PHONY: bench
bench: $(READY) ## Measure the worker; figures go to benchmarks/results/
	$(RUN)/python -m benchmarks.worker

.PHONY: requirements
requirements: $(READY) ## Bring requirements.txt up to pyproject.toml; UPGRADE=--upgrade takes the newest of all
	$(RUN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --extra demo --extra java --extra ui --no-annotate --no-header \
		$(UPGRADE) --output-file requirements.txt pyproject.toml
	@{ printf '%s\n' $(REQUIREMENTS_HEADER); grep -vE '^(#|nvidia-|cuda-|triton)' requirements.txt; } >requirements.new
	@mv requirements.new requirements.txt

.PHONY: clean
clean: ## Remove caches and build files (.venv and var/ stay)
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

$(READY): requirements.txt pyproject.toml bin/set-up
	@bin/set-up
	@touch $@
