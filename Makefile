PYTHON ?= python3
# Tests run in this many processes; 0 runs them in one, which a debugger wants.
WORKERS ?= 2
# A process that is done takes over tests that another one has not begun.
SPREAD := -n $(WORKERS) --dist worksteal
# What `make test` runs: ARGS="tests/sharing -x" runs a part.
ARGS ?= tests

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
READABLE := src tests migrations

# Here a leak would begin: every line and every branch is run by a test.
STRICT := */sharing_service/sharing/*,*/sharing_service/delivery/*,*/sharing_service/access/*

# Debian's PostgreSQL, the oldest that the service works on: the stories and the oracle run on it too where it is, but
# for those that no version of it would tell differently: what is refused at the edge, how much memory a worker takes, and
# what becomes of connections whose requests are cut.
OTHER_POSTGRES ?= $(firstword $(wildcard /usr/lib/postgresql/15/bin))
ALIKE := $(addprefix --ignore tests/stories/test_,faulty_requests.py importer_memory.py cancellation_storm.py)

.DEFAULT_GOAL := help
.PHONY: help install check format lint types contracts test demo serve migrate bench nightly fuzz asvs lock audit sbom licences clean

help: ## Show what each target does
	@sed -nE 's/^([a-z]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

install: .venv/installed ## Install the service and its run-time dependencies into .venv

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Name a Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(PIP) --no-deps --require-hashes -r requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(PIP) --no-deps --require-hashes -r requirements-dev.txt
	@touch $@

check: .venv/installed-dev ## Run every check, exactly as CI does
	$(BIN)/ruff format --check $(READABLE)
	@$(MAKE) --no-print-directory lint types contracts
	$(BIN)/coverage erase
	$(if $(OTHER_POSTGRES),$(BIN)/pytest $(SPREAD) --hypothesis-profile=quick --postgres-bindir $(OTHER_POSTGRES) $(ALIKE) tests/stories tests/actions tests/test_resolution.py tests/test_database.py tests/test_migrations.py)
# Made-up cases by the thousand run no line that the other tests do not, and take twice as long when lines are counted.
	$(BIN)/pytest $(SPREAD) -m long
	$(BIN)/pytest $(SPREAD) -m "not long" --cov --cov-report= --durations=10
# Silent when met, so that the closing line is the tests' own summary.
	@$(BIN)/coverage report --include='$(STRICT)' --fail-under=100 > .coverage-strict.txt || { cat .coverage-strict.txt; exit 1; }
	@$(BIN)/coverage report --omit='$(STRICT)' --fail-under=95 > .coverage-rest.txt || { cat .coverage-rest.txt; exit 1; }

format: .venv/installed-dev ## Format the code and mend what the linter can mend
	$(BIN)/ruff format $(READABLE)
	$(BIN)/ruff check --fix $(READABLE)

lint: .venv/installed-dev ## Lint
	$(BIN)/ruff check $(READABLE)

types: .venv/installed-dev ## Check types
	$(BIN)/mypy

contracts: .venv/installed-dev ## Check who imports whom
	$(BIN)/lint-imports

test: .venv/installed-dev ## Run tests without coverage; ARGS selects
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

demo: install ## Serve a realistic district on http://127.0.0.1:8000
	$(BIN)/sharing-service demo

serve: install ## Serve with the settings of the environment
	$(BIN)/sharing-service serve

migrate: install ## Bring the database of SHARING_DATABASE_URL up to date
	$(BIN)/sharing-service migrate

# How large the district of `make bench` is.
STUDENTS ?= 20000
# Which parts it measures: ONLY="imports days"; without, all of them.
ONLY ?=

bench: .venv/installed-dev ## Measure on a district of STUDENTS; without ONLY write docs/performance.md
	$(BIN)/python -m tests.bench $(STUDENTS) $(ONLY)

nightly: .venv/installed-dev ## Run the tests that take too long for every change
	$(BIN)/pytest -n $(WORKERS) --hypothesis-profile=nightly --hang-after 36000 tests/test_resolution.py tests/stories/test_feed_histories.py tests/stories/test_canaries.py

# How many requests `make fuzz` makes up.
REQUESTS ?= 1000000

fuzz: .venv/installed-dev ## Ask the whole API as each role, with REQUESTS that are made up from its document
	$(BIN)/python -m tests.fuzzing $(REQUESTS)

asvs: .venv/installed-dev ## Write docs/asvs.md from the requirements and the tests that bear their numbers
	$(BIN)/python -m tests.asvs

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --only-binary :all: \
	--emit-build-options --no-emit-index-url --no-annotate --no-header

lock: .venv/installed-dev ## Write the locks anew; LOCK_ARGS="--upgrade" takes newer versions
	$(LOCK) $(LOCK_ARGS) pyproject.toml --group build -o requirements.txt
	$(LOCK) $(LOCK_ARGS) --group dev --constraint requirements.txt -o requirements-dev.txt

# What is audited, and with which options more.
LOCKS ?= requirements.txt requirements-dev.txt
AUDIT ?=

audit: .venv/installed-dev ## Look all that is locked up in the list of known vulnerabilities; needs a network
	@rm -f .audit.txt
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes $(LOCKS:%=--requirement %) \
		--output .audit.txt --progress-spinner off $(AUDIT) || { \
		test -s .audit.txt && cat .audit.txt || \
		echo "Not audited: the list of known vulnerabilities did not answer. This says nothing about what is locked." >&2; \
		exit 1; }

# Where the bill of materials is written.
SBOM ?= sbom.json
SBOM_ARGS ?=

sbom: .venv/installed-dev ## Write sbom.json, the bill of what is locked for run time (CycloneDX)
	@$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application --output-reproducible \
		--spec-version 1.6 --output-format JSON --output-file $(SBOM) $(SBOM_ARGS) requirements.txt

licences: .venv/installed-dev ## Write docs/licences.md
	$(BIN)/python -m tests.supply.licences > docs/licences.md

clean: ## Remove everything that make made
	rm -rf .venv .coverage* .audit.txt sbom.json .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
