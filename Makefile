# What a developer types. Every target sets up what it needs; nothing has to be prepared by hand.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# A machine's own CA bundle or proxy must not reach the loopback servers of the tests.
CLEAN_ENV := env -u AWS_CA_BUNDLE -u AWS_PROFILE -u KUBECONFIG

LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
# The image gets the very versions that are tested. What only writes its bill of materials is kept apart: with it
# come packages that jsonschema imports wherever they are installed, which costs every start seconds.
IMAGE_LOCK := $(LOCK) --constraint requirements.txt

.PHONY: help install demo test bench check lint types imports format wheel krew docs lock clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## Put everything into .venv (.venv/bin/ack-bridge)

$(VENV)/.installed: pyproject.toml requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "ack-bridge needs Python 3.11 or later; set PYTHON=python3.11 (or later) for make" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install ## Show it all on a local control plane (KEEP=1 leaves it up)
	@$(CLEAN_ENV) $(BIN)/python -m tests.stack.demo $(if $(KEEP),--keep)

test: install check ## Everything that CI runs
	$(CLEAN_ENV) $(BIN)/python -m pytest -n 2 --dist loadfile

bench: install ## Figures of speed and memory (SCALE=10000: so many objects; SOAK=30: so many minutes)
	$(CLEAN_ENV) $(BIN)/python -m tests.bench $(if $(SCALE),scale --objects $(SCALE)) $(if $(SOAK),soak --minutes $(SOAK))

check: lint types imports ## Lint, format, types and the direction of imports

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports --no-logo

format: install ## Format the code and mend what lint can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: install ## Build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation

krew: wheel ## Pack the kubectl smlogs plugin for krew into dist/ (KREW_URI=where it will be)
	rm -rf build/krew
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes --only-binary :all: --target build/krew \
	  --requirement image/requirements-run.txt
	$(BIN)/python -m pip install --quiet --no-compile --no-deps --target build/krew dist/*.whl
	$(BIN)/python krew/pack.py --app build/krew --into dist $(if $(KREW_URI),--uri $(KREW_URI))

docs: install ## Write the pages of docs/ that come out of the product
	$(BIN)/python -m tests.docs.generate

lock: install ## Pin the dependencies anew, with hashes
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --output-file requirements.txt
	$(BIN)/uv pip compile pyproject.toml $(IMAGE_LOCK) --output-file image/requirements-run.txt
	echo hatchling | $(BIN)/uv pip compile - $(IMAGE_LOCK) --output-file image/requirements-build.txt
	echo cyclonedx-bom | $(BIN)/uv pip compile - $(LOCK) --output-file image/requirements-sbom.txt

clean: ## Remove what was built here (not the shared cache)
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
