# make demo      an environment, takens in it, and one study of a real series
# make test      the test suite (make test-all adds the long statistical tests)
# make check     lint and types
# make invariants  exponents, dimensions and periods of the catalogue, again (resumes; half an hour)
# make bench     accuracy and speed, as tables (many minutes)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-all check bench invariants clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "takens needs Python 3.11 or newer; this is %s. Try: make PYTHON=python3.12" % sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.developing: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/takens study examples/elnino.csv --out demo-report

test: $(VENV)/.developing
	$(BIN)/python -m pytest -n 2 -m "not long"

test-all: $(VENV)/.developing
	$(BIN)/python -m pytest -n 2

check: $(VENV)/.developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed
	for script in bench/*.py; do echo "== $$script"; OMP_NUM_THREADS=1 $(BIN)/python $$script || exit 1; done

invariants: $(VENV)/.installed
	OMP_NUM_THREADS=1 $(BIN)/takens invariants --everything --out invariants-run
	cp invariants-run/invariants.json src/takens/systems/catalogue/invariants.json

clean:
	rm -rf $(VENV) demo-report .pytest_cache .mypy_cache .ruff_cache
