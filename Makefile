# `make demo` shows the whole shop, `make test` checks it. Both need nothing but Python 3.11 or later.

VENV ?= .venv
# Most tests wait for processes and servers, so four at once suit two cores.
JOBS ?= 4
ARGS ?=
PY = $(VENV)/bin/python
# A newer name is tried only when python3 is too old.
PYTHONS = python3 python3.13 python3.12 python3.11
UV_COMPILE = $(PY) -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --quiet
# Only errors of pip's are shown; a dot now and then says that it still works.
WITH_DOTS = ( while sleep 4 && kill -0 $$$$ 2>/dev/null; do printf .; done ) & dots=$$!; \
	trap 'kill $$dots 2>/dev/null; exit 130' INT TERM;
END_DOTS = status=$$?; kill $$dots 2>/dev/null; echo; exit $$status
PIP = $(PY) -m pip --disable-pip-version-check -qq

.PHONY: demo sanity test chaos chaos-test bench image dist check schema models lock clean

demo: $(VENV)/.kiosk
	@$(PY) -m sandbox.demo $(ARGS)

# The least that models can be asked for, made by the provider's stand-in; ARGS="--all" for every model.
sanity: $(VENV)/.kiosk
	@$(PY) -m sandbox.sanity $(ARGS)

test: check
	@$(PY) -m pytest -n $(JOBS) -m "not chaos" $(ARGS)

# Several replicas under kill -9, cut connections and hostile neighbours; fails unless nothing is lost or doubled.
chaos: $(VENV)/.kiosk
	@$(PY) -m chaos.run $(ARGS)

# Broken copies of the shop that take a run longer than those of `make test` to find out.
chaos-test: check
	@$(PY) -m pytest -m chaos $(ARGS)

# What orders cost in time and bytes here, as tables of ratios; wants a machine with nothing else to do.
bench: $(VENV)/.kiosk
	@$(PY) -m bench $(ARGS)

# The steps of the Dockerfile, carried out without Docker, and the shop that comes of them started on stand-ins.
image: $(VENV)/.kiosk-dev
	@$(PY) -m deploy.try_dockerfile $(ARGS)

# The package that `pip install` takes, in dist/.
dist: $(VENV)/.kiosk
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

check: $(VENV)/.kiosk-dev
	@$(PY) -m ruff check --quiet
	@$(PY) -m ruff format --check --quiet || { echo "Not formatted; run: $(PY) -m ruff format"; exit 1; }
	@$(PY) -m mypy --no-error-summary
	@said=$$($(VENV)/bin/lint-imports --no-logo 2>&1) || { echo "$$said"; exit 1; }

# The page of documentation that tells of every model.
models: $(VENV)/.kiosk
	@$(PY) -m kiosk models page > docs/models.md

# The file that says what all migrations add up to.
schema: $(VENV)/.kiosk-dev
	@KIOSK_REWRITE_SCHEMA=1 $(PY) -m pytest -q -k schema_file tests/db/test_migrate_schema.py

# Everything that the project stands on, pinned with hashes; a test compares the two lists.
lock: $(PY)
	@$(PIP) install uv
	@$(UV_COMPILE) --upgrade --extra sandbox --extra build --output-file requirements.lock
	@$(UV_COMPILE) --upgrade --all-extras --output-file requirements-dev.lock

# Never `data/`: that is somebody's shop.
clean:
	@rm -rf $(VENV) .demo .chaos dist out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@for name in $(PYTHONS); do \
		if command -v $$name >/dev/null && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
			python=$$name; break; \
		fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Kiosk needs Python 3.11 or later, and there is none of: $(PYTHONS)." >&2; exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python cannot make a virtual environment; on Debian or Ubuntu: apt install python3-venv" >&2; exit 1; \
	fi; \
	echo "Setting up the Python environment (1/3)…"; \
	$$python -m venv --clear $(VENV)

$(VENV)/.kiosk: requirements.lock pyproject.toml | $(PY)
	@printf 'Installing what Kiosk needs (2/3)…'; $(WITH_DOTS) $(PIP) install --require-hashes -r $<; $(END_DOTS)
	@echo "Installing Kiosk (3/3)…"
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.kiosk-dev: requirements-dev.lock pyproject.toml | $(PY)
	@printf 'Installing what Kiosk and its tests need (2/3)…'; $(WITH_DOTS) $(PIP) install --require-hashes -r $<; $(END_DOTS)
	@echo "Installing Kiosk (3/3)…"
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.kiosk
