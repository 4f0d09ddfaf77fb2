# The commands of this project; `make help` lists them. Values come as variables: make run DATE=2025-08-15
SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:

PYTHON ?= python3
PYTHONS := "$(PYTHON)" $(if $(findstring command line,$(origin PYTHON)),,python3 python3.13 python3.12 python3.11)
VENV_PYTHON := .venv/bin/python
REQUIREMENTS_HASH := $(shell (sha256sum requirements.txt || shasum -a 256 requirements.txt) 2>/dev/null | cut -c1-16)
INSTALLED := .venv/installed-$(REQUIREMENTS_HASH)
STACK := PYTHONPATH=plugins:. $(VENV_PYTHON) -m devstack
MAPPED := RISK_FILLS_MAPPING="$${MAPPING:-$${RISK_FILLS_MAPPING:-}}"
PYTEST := $(VENV_PYTHON) -m pytest -n auto
DOCS := AIRFLOW__LOGGING__LOGGING_LEVEL=ERROR PYTHONPATH=plugins:. $(VENV_PYTHON) -m docs.generate
# The pins without hashes, and without that of a package of which Airflow's role-based login wants an older version.
PINS := sed -n 's/^\([a-z0-9._-]*==.*[^ \\]\) *\\*$$/\1/p' requirements.txt | grep -v '^python-dateutil=='
LINTED := plugins dags devstack simulation tests bench docs

# The user's own settings must not change what is installed or how Python runs here.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV CONDA_PREFIX
unexport PIP_CONSTRAINT PIP_REQUIREMENT PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER PIP_NO_DEPS PIP_PRE
unexport PIP_NO_BINARY PIP_ONLY_BINARY PIP_PYTHON
unexport UV_CONSTRAINT UV_BUILD_CONSTRAINT UV_OVERRIDE UV_EXCLUDE UV_EXCLUDE_NEWER UV_PYTHON UV_SYSTEM_PYTHON UV_PRERELEASE
unexport UV_PROJECT_ENVIRONMENT UV_NO_BINARY UV_NO_BUILD UV_TARGET UV_PREFIX UV_RESOLUTION

# A misspelt DATE or FROM would run another session: what a run does not know is refused before anything starts.
KNOWN := DATE FILLS MAPPING FROM TO AS_OF HISTORY DELIVER PYTHON
ifneq (,$(filter run up trigger model backfill,$(MAKECMDGOALS)))
GIVEN := $(foreach word,$(MAKEOVERRIDES),$(if $(findstring =,$(word)),$(firstword $(subst =, ,$(word)))))
UNKNOWN := $(filter-out $(KNOWN) RISK_% AIRFLOW_%,$(GIVEN))
$(if $(UNKNOWN),$(error $(UNKNOWN) is no variable of make $(MAKECMDGOALS): use $(KNOWN)))
endif

.PHONY: help setup run up down status trigger model backfill backup restore
.PHONY: test test-fast test-sql test-e2e test-stacks test-thorough test-faults test-guides test-workers test-compose stores test-stores lint docs format bench prior pictures wheel clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' Makefile
	@echo "  Variables: DATE=YYYY-MM-DD FILLS=dir (run, trigger, up); MAPPING=preset|file (run, up); FROM= TO= (backfill); AS_OF=now|then|timestamp (run, backfill) HISTORY=1 (run)"

setup: $(INSTALLED) ## install Python packages into .venv (once for each requirements.txt)

run: setup ## the daily run once, from nothing to the report [DATE=YYYY-MM-DD] [FILLS=dir] [MAPPING=preset or file]
	@$(MAPPED) $(STACK) run --date "$${DATE:-}" --fills "$${FILLS:-}" --as-of "$${AS_OF:-}" --history "$${HISTORY:-}"

up: setup ## start Postgres, mail server and Airflow with its UI, and leave them running [FILLS=dir] [MAPPING=...]
	@$(MAPPED) $(STACK) up --fills "$${FILLS:-}"

down: setup ## stop what this clone has started
	@$(STACK) down

status: setup ## what runs, where the UI is and where its password is
	@$(STACK) status

trigger: setup ## one more daily run on the running Airflow [DATE=YYYY-MM-DD] [FILLS=dir]
	@$(STACK) trigger --date "$${DATE:-}" --fills "$${FILLS:-}"

model: setup ## train the model for the week of a session on the running Airflow [DATE=YYYY-MM-DD]
	@$(STACK) model --date "$${DATE:-}"

backfill: setup ## run a range of sessions on the running Airflow, one at a time FROM= TO= [DELIVER=1]
	@$(STACK) backfill --from "$${FROM:-}" --to "$${TO:-}" --as-of "$${AS_OF:-}" --deliver "$${DELIVER:-}"

backup: setup ## write the warehouses and Airflow's metadata into one file under var/backups [FILE=path]
	@./riskctl backup --file "$${FILE:-}"

restore: setup ## replace this clone's databases by those of a backup FILE=path [TRUSTED=1]
	@./riskctl restore --file "$${FILE:-}" $(if $(TRUSTED),--trusted)

test: setup ## unit, SQL and e2e tests, on a Postgres, a mail server and an Airflow of their own; the targets below do more
	@$(PYTEST) -m "fast or sql or e2e" --dist loadfile --no-loadscope-reorder

test-fast: setup ## unit and property tests: no service, about two minutes on two cores
	@$(PYTEST) -m fast --dist worksteal tests/unit tests/properties

test-sql: setup ## tests that need a Postgres, which they start
	@$(PYTEST) -m sql --dist worksteal

test-e2e: setup ## operators, DAGs, the line from end to end, and days of a whole stack
	@$(PYTEST) -m e2e --dist loadfile --no-loadscope-reorder

test-stacks: setup ## people at work on whole stacks and on every page in a real browser: below a proxy, approving, with alarms
	@$(PYTEST) -m stacks --dist loadfile --no-loadscope-reorder

test-thorough: setup ## the properties with all their examples, of which make test tries a part, all attacks, golden desks, replays, environments
	@RISK_TEST_EXAMPLES=1000 $(PYTEST) --dist worksteal tests/properties tests/golden tests/sql/test_core_chain_attacks.py \
		tests/integration/test_replay.py tests/integration/test_environments.py

test-faults: setup ## fail every step at every statement, commit, file and mail command, then repeat it; prints tried and survived
	@$(PYTEST) -m faults --dist load tests/faults

test-guides: setup ## every command of the documents in a fresh copy, and the wheel's guide in an Airflow without this clone
	@$(PYTEST) -m guides --dist loadfile tests/integration

test-workers: setup ## the line, a retry, a publication, a backfill on two Celery workers with a real Redis and two schedulers; prints who did what
	@$(VENV_PYTHON) -m pytest -n 0 -s -m workers tests/integration/test_two_workers.py

test-compose: setup ## start the compose file and live through a morning, crash, upgrade and restore; skips without a container engine
	@$(VENV_PYTHON) -m pytest -n 0 -s -m compose tests/compose

# Clients and servers stay out of .venv: they want an older version of one of its packages, and no run needs them here.
STORES := var/stores-$(shell (sha256sum requirements-stores.txt || shasum -a 256 requirements-stores.txt) 2>/dev/null | cut -c1-16)
stores: setup ## install what test-stores needs into var
	@[ -f $(STORES)/.installed ] || { rm -rf var/stores-* && .venv/bin/uv pip install --quiet --system-certs --no-deps \
		--require-hashes --index-strategy unsafe-best-match --python .venv/bin/python --target $(STORES) \
		--requirements requirements-stores.txt && touch $(STORES)/.installed; }

test-stores: stores ## sources and sinks elsewhere, against servers of this machine that its own packages bring
	@PYTHONPATH=$(STORES) $(VENV_PYTHON) -m pytest -n 0 tests/operators/test_*_stores.py

lint: setup ## format, lint, types, SQL, layers, spelling, dependencies; changes nothing
	@.venv/bin/ruff format --check $(LINTED)
	@.venv/bin/ruff check $(LINTED)
	@.venv/bin/mypy --strict plugins/risk dags devstack simulation
	@.venv/bin/sqlfluff lint --disable-progress-bar --processes 0 include/sql
	@PYTHONPATH=plugins:. .venv/bin/lint-imports
	@.venv/bin/codespell
	@.venv/bin/deptry .
	@.venv/bin/deptry plugins dags --requirements-files requirements-compose.in \
		--per-rule-ignores "DEP002=asyncpg|apache-airflow-providers-fab|plotly|apache-airflow-providers-celery|celery|redis,DEP001=openlineage,DEP003=pydantic_core"

docs: setup ## build the documentation into var/site; fails on a dead link or a stale generated page
	@$(DOCS) --check
	@.venv/bin/mkdocs build --strict --quiet

format: setup ## rewrite Python and the generated pages of docs
	@.venv/bin/ruff format $(LINTED)
	@.venv/bin/ruff check --fix $(LINTED)
	@$(DOCS)

bench: setup ## run the benchmarks and print their ratios
	@PYTHONPATH=plugins:. $(VENV_PYTHON) -m bench

prior: setup ## fit the expert from simulated desks again; include/model/prior.json stays if it agrees
	@OMP_NUM_THREADS=1 PYTHONPATH=plugins:. $(VENV_PYTHON) -m simulation.prior

pictures: setup ## take the pictures of the documentation, from the running simulated desk
	@PYTHONPATH=plugins:. $(VENV_PYTHON) -m bench.pictures

# uv's own build back-end reads one tree: a copy of the package with include/ in it, with version and dependencies.
WHEEL := var/wheel
UV := UV_PYTHON_DOWNLOADS=never .venv/bin/uv
wheel: setup ## build the wheel for another Airflow, and the versions it was tested with, into var/dist
	@rm -rf $(WHEEL) var/dist
	@mkdir -p $(WHEEL)/risk/include var/dist
	@cp -R plugins/risk/. $(WHEEL)/risk
	@cp -R include/. $(WHEEL)/risk/include
	@cp ops/wheel/pyproject.toml $(WHEEL)
	@sed -n '/^# The line/,/^$$/p' requirements.in > $(WHEEL)/requirements.in
	@$(UV) version --quiet --frozen --offline --python .venv/bin/python --project $(WHEEL) \
		"$$(PYTHONPATH=plugins $(VENV_PYTHON) -c 'import risk; print(risk.__version__)')"
	@$(UV) add --quiet --frozen --offline --python .venv/bin/python --raw --project $(WHEEL) \
		--requirements $(WHEEL)/requirements.in
	@$(UV) build --quiet --offline --python .venv/bin/python --wheel --out-dir var/dist $(WHEEL)
	@$(PINS) > var/dist/constraints.txt
	@echo "Built var/dist/$$(cd var/dist && ls *.whl) and var/dist/constraints.txt."

clean: ## stop everything, then remove .venv, .airflow and var with all its data
	@if [ -x $(VENV_PYTHON) ] && [ -d var ]; then $(STACK) down; \
	elif ls var/run/*.json >/dev/null 2>&1; then \
		echo "Processes of this clone may still run, but .venv is gone: run make setup, then make clean."; exit 2; fi
	@rm -rf .venv .airflow var

# A fresh .venv for each requirements.txt and a stamp named by its hash; an interrupted installation has no stamp.
$(INSTALLED):
	@set -e; \
	for candidate in $(PYTHONS) none; do \
		if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; \
		then break; fi; \
	done; \
	if [ "$$candidate" = none ]; then \
		echo "No Python 3.11, 3.12 or 3.13 found ($(PYTHON) is $$("$(PYTHON)" --version 2>&1 | head -1)):" \
			"install one, or name it: make setup PYTHON=/path/to/python3.12"; exit 2; fi; \
	echo "Installing into .venv with $$("$$candidate" --version), once for each requirements.txt."; \
	if ! .venv/bin/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
		|| ! .venv/bin/uv --version >/dev/null 2>&1; then \
		"$$candidate" -m venv --clear .venv || { \
			echo "This Python cannot create a virtual environment: install its venv module (Debian: python3-venv)."; exit 2; }; \
		awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.txt > .venv/uv.txt; \
		.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.txt; \
	fi; \
	rm -f .venv/installed-*; \
	.venv/bin/uv pip sync --quiet --system-certs --require-hashes --compile-bytecode --index-strategy unsafe-best-match \
		--python .venv/bin/python requirements.txt; \
	touch $@

# Not run by any other target: pins change when somebody decides so.
.PHONY: requirements
requirements: setup ## compile requirements.in to pinned and hashed requirements.txt (takes the newest versions)
	@.venv/bin/uv pip compile --quiet --universal --upgrade --python-version 3.11 --generate-hashes --no-header \
		requirements.in --output-file requirements.txt
	@$(PINS) > .venv/pins.txt
	@.venv/bin/uv pip compile --quiet --python-version 3.12 --python-platform x86_64-manylinux_2_28 --generate-hashes \
		--no-header --no-annotate --constraint .venv/pins.txt requirements-compose.in \
		--output-file requirements-compose.txt
	@.venv/bin/uv pip compile --quiet --universal --upgrade --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --constraint .venv/pins.txt requirements-stores.in --output-file requirements-stores.txt \
		$$(sed 's/==.*//; s/^/--no-emit-package /' .venv/pins.txt | sort -u)
