# Dosetrail's commands. `make demo` and `make test` need nothing but Python 3.11 and its venv module.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export DOSETRAIL_DATA_DIR ?= $(CURDIR)/var
export PORT ?= 8000
export HOST ?= 127.0.0.1
export SEED ?= 1
export WITNESSES ?= 0

.PHONY: demo test test-long lint types bench messages outside

demo: $(VENV)/.installed
	@exec $(BIN)/python -m traceability.supervisor demo $(if $(RESET),--reset)

test: $(VENV)/.installed-dev
	@exec $(BIN)/python tests/run.py

test-long: $(VENV)/.installed-dev
	@exec $(BIN)/pytest -m long

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.installed-dev
	$(BIN)/mypy ledger traceability

messages: $(VENV)/.installed-dev
	@DJANGO_SETTINGS_MODULE=traceability.settings.test PYTHONPATH=. $(BIN)/python locale/messages.py

bench: $(VENV)/.installed-dev
	@exec $(BIN)/python -m bench

# The checkers of other people (docs/auditing.md): a Go toolchain and Python libraries, in a venv of their own, and
# JavaScript clients of trading partners.
JS := tests/outside/js
outside: $(VENV)/outside/.installed $(JS)/node_modules/.package-lock.json

$(JS)/node_modules/.package-lock.json: $(JS)/package-lock.json
	@command -v npm >/dev/null || { echo "Node and npm are needed (Debian: apt-get install nodejs npm)"; exit 1; }
	@cd $(JS) && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

$(VENV)/outside/.installed: tests/outside/requirements.txt | $(VENV)/bin/python
	@$(PYTHON) -m venv $(VENV)/outside
	@$(VENV)/outside/bin/python -m pip install --quiet --disable-pip-version-check -r tests/outside/requirements.txt
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
