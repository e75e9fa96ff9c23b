# Needs python3 with venv and pip, and nothing else. `make help` says what there is.

PYTHON ?= python3
VENV ?= .venv
HOST ?= 127.0.0.1
PORT ?= 8000
# What `make run` installs: base, or production for PostgreSQL and Redis.
REQUIREMENTS ?= base

BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed-$(REQUIREMENTS)
DEV_STAMP := $(VENV)/.installed-dev
BENCH_STAMP := $(VENV)/.installed-bench
SECRET = $(PYTHON) -c "import secrets; print(secrets.token_urlsafe(64))"

.PHONY: help run serve test quick lint coverage lock bench bench-scale faults soak clean
.DEFAULT_GOAL := help

help: ## Show this.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Only here: .env says DEBUG=off, so that whatever else starts with it is safe.
DEVELOPMENT = DEBUG=$${DEBUG:-on}

run: $(RUN_STAMP) .env ## Serve on http://127.0.0.1:8000/ (PORT=… HOST=… PYTHON=… REQUIREMENTS=production).
	@echo "==> Bringing the database up to date"
	@$(DEVELOPMENT) $(BIN)/python manage.py migrate --verbosity 1
	@echo "==> Serving http://$(HOST):$(PORT)/"
	@$(DEVELOPMENT) exec $(BIN)/python manage.py runserver $(HOST):$(PORT)

# On this machine alone, without TLS; a real site sets both.
PRODUCTION = DEBUG=off ALLOWED_HOSTS=$${ALLOWED_HOSTS:-127.0.0.1,localhost} HTTPS=$${HTTPS:-off}

serve: $(VENV)/.installed-production .env ## Serve as in production: DATABASE_URL, REDIS_URL, WEB_CONCURRENCY processes.
	@echo "==> Bringing the database up to date, collecting static files"
	@$(PRODUCTION) $(BIN)/python manage.py migrate --verbosity 1
	@$(PRODUCTION) $(BIN)/python manage.py collectstatic --noinput --verbosity 0
	@echo "==> Serving http://$(HOST):$(PORT)/"
	@$(PRODUCTION) HOST=$(HOST) PORT=$(PORT) WEB_CONCURRENCY=$${WEB_CONCURRENCY:-2} exec $(BIN)/python -m project.server

test: $(DEV_STAMP) ## Run every check and test (THOROUGH=1: many times the made-up examples).
	@$(BIN)/python -m tests.run

quick: $(DEV_STAMP) ## Run lint, types and the tests of the domain on SQLite, in about a minute.
	@$(BIN)/python -m tests.run quick

lint: $(DEV_STAMP) ## Run the checks that need no test: style, types, secrets, advisories, endpoints.
	@$(BIN)/python -m tests.run lint

coverage: $(DEV_STAMP) ## Run every test with coverage, and list the lines that no test reaches (htmlcov/).
	@$(BIN)/python -m tests.run coverage

lock: $(VENV)/.installed-lock ## Write requirements/*.txt from *.in, with hashes (LOCK=--upgrade for newer versions).
	@for name in base production dev bench lock; do \
		echo "==> requirements/$$name.txt"; \
		$(BIN)/uv pip compile --quiet $(LOCK) requirements/$$name.in --output-file requirements/$$name.txt || exit 1; \
	done

bench: $(BENCH_STAMP) ## Measure P1–P5 beside their yardsticks, in five minutes (PAIRS=1 for a look, OUT=figures.json).
	@echo "==> Measuring; PostgreSQL at DATABASE_URL, Redis at REDIS_URL, or both on this machine"
	@$(BIN)/python -m tests.bench p1 p2 p3 p4 p5

bench-scale: $(BENCH_STAMP) ## Measure P6–P10: large tables, thousands of sockets (MESSAGES=10000000 for ten million).
	@echo "==> Measuring; PostgreSQL at DATABASE_URL, Redis at REDIS_URL, or both on this machine"
	@$(BIN)/python -m tests.bench p6 p7 p8 p9 p10

# Both need the programs of PostgreSQL and Redis, and nothing of them running.
faults: $(DEV_STAMP) ## Do every fault to a service of its own and check what its clients saw (ONLY=F1,F3).
	@ONLY="$(ONLY)" $(BIN)/python -m tests.faults.run

soak: $(DEV_STAMP) ## The same for long, with what grows meanwhile (MINUTES=20).
	@MINUTES="$(or $(MINUTES),20)" $(BIN)/python -m tests.faults.soak

clean: ## Remove what was installed and built; .env and the database stay.
	rm -rf $(VENV) build dist staticfiles htmlcov *.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	@echo "==> Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-%: requirements/%.txt | $(BIN)/python
	@echo "==> Installing requirements/$*.txt"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$*.txt
	@touch $@

.env:
	@echo "==> Writing .env with fresh keys"
	@umask 077; sed -e "s|^ALLOWED_HOSTS=.*|ALLOWED_HOSTS=127.0.0.1,localhost|" \
		-e "s|^SECRET_KEY=.*|SECRET_KEY=$$($(SECRET))|" \
		-e "s|^JWT_SIGNING_KEY=.*|JWT_SIGNING_KEY=$$($(SECRET))|" .env.example > $@.new
	@mv $@.new $@
