# Every verb of the project. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The first Python on the PATH that is new enough to set up (shims of missing versions are skipped).
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do \
	"$$p" -I -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && { command -v "$$p"; break; }; done)
BUILD = $(PYTHON) images/build.py
DEV = $(shell $(BUILD) --where)/dev/bin

.PHONY: help run setup test suite-integration suite-machines suite-pages suite-units slow test-all bench-grade bench-spawn bench-signin bench-cohort bench-doors bench-proxy lint typing lock docs messages clean python

help: ## List the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

python:
	@[ -n "$(PYTHON)" ] || { echo "BioSkills Hub needs Python 3.11 or newer on the PATH. Debian, Ubuntu: apt install python3 python3-venv"; exit 1; }

run: python ## Set up what is missing, then start everything (Ctrl-C ends it)
	@exec $(BUILD) -- bioskills run --demo courses/sequences-first-steps

setup: python ## Only set up what is missing
	@$(BUILD)

lint: python ## Format and lint rules, types
	@$(BUILD) --dev
	@$(BUILD) --typing
	@$(DEV)/ruff check .
	@$(DEV)/ruff format --check .
	@$(DEV)/mypy
	@cd images && $(DEV)/mypy --strict --config-file= --python-version=3.11 -p setup

# One process each: a browser's event loop must not run under the other suites. They wait much
# and compute little, so two run side by side, each told when it ends; all run, whatever fails.
SUITE = $(BUILD) --dev -- python -m pytest
SUITES = suite-integration suite-machines suite-pages suite-units
AT_ONCE ?= 2
ON_MACHINES = $(addprefix tests/integration/,roles running setup survival tls upgrade walls)

test: lint ## Everything that must be green before a commit (AT_ONCE=1: one suite after another)
	@$(MAKE) --no-print-directory --keep-going --output-sync=target --jobs=$(AT_ONCE) $(SUITES)

suite-integration:
	@$(SUITE) -m "not slow" tests/integration $(addprefix --ignore=,$(ON_MACHINES))

suite-machines:
	@$(SUITE) -m "not slow" $(ON_MACHINES)

suite-pages:
	@$(SUITE) -m "not slow" tests/ui

suite-units:
	@$(SUITE) -m "not slow" tests/contract tests/unit

slow: python
	@$(SUITE) -m slow tests/integration

test-all: test slow ## ... and the slow tests

bench-grade: python ## Measure grading beside plain nbgrader (as root; ARGS="--n 10 40")
	@$(BUILD) --dev -- python tests/bench/grade $(ARGS)

bench-spawn: python ## Measure starting labs beside stock JupyterHub (as root; ARGS="--n 1 10")
	@$(BUILD) --dev -- python tests/bench/spawn $(ARGS)

bench-signin: python ## Measure 300 sign-ins in a minute (as root; ARGS="--n 300 --seconds 60")
	@$(BUILD) --dev -- python tests/bench/signin $(ARGS)

bench-proxy: python ## Measure the proxy under a class and after kill -9 (ARGS="--learners 30")
	@$(BUILD) --dev -- python tests/bench/proxy $(ARGS)

bench-cohort: python ## Measure provisioning people on a running hub (as root; ARGS="--n 30")
	@$(BUILD) --dev -- python tests/bench/cohort $(ARGS)

bench-doors: python ## Measure the first pages of assessor, certifier, manager, funder (ARGS="--n 200")
	@$(BUILD) --dev -- python tests/bench/doors $(ARGS)

typing: python ## Make the links that type checkers read
	@$(BUILD) --typing

lock: python ## Write the requirements locks again (UPGRADE=1 takes newer versions)
	@$(BUILD) --lock $(if $(UPGRADE),--upgrade)

docs: python ## Write the reference pages again from the code
	@$(BUILD) --dev -- python docs/generate.py

messages: python ## Gather all sentences for translators, merge them into the catalogues
	@$(BUILD) --dev -- python docs/messages.py

clean: python ## Remove all environments, after a question
	@$(BUILD) --clean
