# `make run` and `make test` work on a machine that has Python 3.11 or later and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test long check figures fuzz audit lock clean

run: $(VENV)/.installed
	$(BIN)/lessonroom demo $(ARGS)

# Three processes on two cores, since most tests wait for sockets, pages and kills; threads of each for small matrices
# would only wait for one another.
test: $(VENV)/.installed
	@tests/needs
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

# What `make test` leaves out because it takes minutes: docs/reliability.md says what it measures.
long: $(VENV)/.installed
	@tests/needs
	$(BIN)/pytest -m long -s $(ARGS)

# All figures of docs/performance.md in one run, on a machine that does nothing else: about ten minutes on two cores.
# PY_SPY=/path/to/py-spy adds the profile; ARGS=--page only writes the page's tables anew.
figures: $(VENV)/.installed
	$(BIN)/python tools/figures.py $(ARGS)

# Every night: mutated inputs into all that reads what strangers send. What is found goes to tests/fuzz/found.
fuzz: $(VENV)/.installed
	$(BIN)/python -m tests.fuzz --inputs $(or $(N),1000000) --seed $(or $(SEED),1) --target $(or $(TARGET),all)

# Every night, where the network allows: known vulnerabilities of the locked packages. 3: nobody could be asked.
audit:
	$(PYTHON) tools/audit.py

check: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet --disable-pip-version-check uv
	$(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--group dev --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) $(VENV)-lock $(VENV)-audit $(VENV)-mlserver $(VENV)-triton build dist

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: expected Python 3.11 or later, got $$($(PYTHON) --version 2>&1); set PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
