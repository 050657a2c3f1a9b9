# `make run` and `make test` set up what they need in $(VENV); nothing is installed elsewhere.
PYTHON ?= $(shell for p in python3.11 python3; do $$p -c "" 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
# Python 3.11: the locked versions, or with STACK=earlier those with the NumPy and SciPy that RecBole 1.2.1 and its Ray
# were made for. Others: the newest that setup.cfg allows, and RecBole itself without its requirement of ray <= 2.6.3,
# which pip cannot meet from Python 3.12 on.
STACK ?= $(shell $(PYTHON) -c "import sys; print('lock' if sys.version_info[:2] == (3, 11) else 'newest')")

EARLIER := numpy==1.26.4 scipy==1.12.0

# Tests run in so many processes, each on one thread.
JOBS ?= 2
# Files or folders to test; all of them where it is empty.
TESTS ?=

.PHONY: run test coverage test-fast test-large bench docs docs-check tables lint format lock lock-docs dist clean help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/'

run: $(BIN)/recbole-edlae  ## sets up, then runs nine models against each other on ml-100k
	$(BIN)/recbole-edlae leaderboard

test: $(BIN)/recbole-edlae lint  ## sets up and runs every test
	$(BIN)/python -m pytest -n $(JOBS) $(TESTS)

# Beside `test`: up to Python 3.11 tests of plain Python take half as long again when they are measured.
coverage: $(BIN)/recbole-edlae  ## runs every test, and says the share of the package's lines that they run
	$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report= $(TESTS)
	@echo "Lines of recbole_edlae that these tests run: $$($(BIN)/python -m coverage report --format=total) %"

test-fast: $(BIN)/recbole-edlae  ## the tests that neither train for long nor start processes
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow" $(TESTS)

test-large: $(BIN)/recbole-edlae  ## the tests that take 6 GiB of memory and minutes
	$(BIN)/python -m pytest -m large

# A few minutes: 60,000 users, 6,000 items, 4.4 million interactions. irspack is a contender where it is installed.
bench: $(BIN)/recbole-edlae  ## benchmarks side by side with RecBole's own: benchmarks/results
	$(BIN)/python benchmarks/fit.py --out=benchmarks/results/fit.json
	$(BIN)/python benchmarks/gram.py --out=benchmarks/results/gram.json
	$(BIN)/python benchmarks/inverse.py --out=benchmarks/results/inverse.json
	$(BIN)/python benchmarks/scoring.py --out=benchmarks/results/scoring.json
	$(BIN)/python benchmarks/whole_run.py --out=benchmarks/results/whole_run.json
	$(BIN)/python benchmarks/plot.py benchmarks/results

docs: $(BIN)/zensical  ## sets up and builds the documentation's site: site/index.html
	$(BIN)/python -m tools.site build/docs
	$(BIN)/zensical build --clean --strict

docs-check: docs  ## builds the site, follows its links and opens its pages in Chromium
	RECBOLE_EDLAE_SITE=$(CURDIR)/site $(BIN)/python -m pytest -q tests/test_docs_site.py

tables: $(BIN)/recbole-edlae  ## writes the tables of docs/ that are made from the package
	$(BIN)/python -m tools.tables

lint: $(BIN)/recbole-edlae  ## style, docstrings, annotations, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(BIN)/recbole-edlae  ## puts the style right where that can be done by machine
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# `make docs` installs into $(VENV) too: what requirements-docs.lock names stays there.
lock: $(BIN)/recbole-edlae  ## writes the versions of $(VENV) into requirements.lock
	sed -i '/==/d' requirements.lock
	$(BIN)/pip freeze --all --exclude-editable | grep == | grep -vE '^(pip|wheel)==' | sed 's/+cpu$$//' | \
		grep -vxFf requirements-docs.lock >> requirements.lock

lock-docs: $(BIN)/zensical  ## writes what the site needs beside requirements.lock into requirements-docs.lock
	sed -i '/==/d' requirements-docs.lock
	$(BIN)/pip freeze --all --exclude-editable | grep == | grep -vE '^(pip|wheel)==' | sed 's/+cpu$$//' | \
		grep -vxFf requirements.lock >> requirements-docs.lock

dist:  ## builds the wheel and the source distribution into dist/, and checks them
	rm -rf dist
	$(PYTHON) -m venv $(VENV)-dist
	$(VENV)-dist/bin/python -m pip install --quiet build twine
	$(VENV)-dist/bin/python -m build
	$(VENV)-dist/bin/python -m twine check --strict dist/*

clean:  ## removes what runs and tests leave behind, and $(VENV)
	rm -rf $(VENV) $(VENV)-dist build dist site .cache *.egg-info .pytest_cache .ruff_cache .mypy_cache .coverage log log_tensorboard saved leaderboard tune

$(BIN)/recbole-edlae: setup.cfg pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
ifneq ($(filter lock earlier,$(STACK)),)
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable . $(if $(filter earlier,$(STACK)),$(EARLIER))
else
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	$(BIN)/python -m pip install --quiet --no-deps recbole==1.2.1
endif
	touch $@

$(BIN)/zensical: $(BIN)/recbole-edlae requirements-docs.lock
ifeq ($(STACK),lock)
	$(BIN)/python -m pip install --quiet --constraint requirements.lock -r requirements-docs.lock
else
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
endif
	touch $@
