# The two commands of a new machine: `make demo` and `make test`. Everything runs inside .venv.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Real labelled scans, used by tests and suites where they are there.
ifneq ($(wildcard ../shared/data),)
export IMBALANCE_DATA ?= $(abspath ../shared/data)
endif

# As many processes as cores (up to 8), each with one thread, as the workers of a run; the tests of a file share fixtures.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 8 --dist loadfile

.PHONY: install demo test test-all torture lint benchmark readme-figures

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

demo: install
	$(BIN)/python -m bench run suites/lits.yaml

test: install
	$(PYTEST) -m "not slow"

test-all: install
	$(PYTEST)

# 100 kills at random moments of a suite with two workers; `make test-all` does 20.
torture: install
	KILLS=100 $(BIN)/python -m pytest -s tests/faults/test_random_kills.py

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

benchmark: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest benchmarks --benchmark-only --benchmark-sort=name -p no:cacheprovider

readme-figures: install
	$(BIN)/python -m bench run suites/lits.yaml --profile phantom --seeds 0,1,2 --out runs/readme
	$(BIN)/python docs/readme_figures.py runs/readme
