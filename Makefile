PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
# Two tests at a time, each with one thread: threads of two processes that wait for each other are slower than none.
TWO := -n 2 --dist loadfile

.PHONY: app test test-slow check bench clean
.DEFAULT_GOAL := app

# The stock pip of Python 3.11 mismatches extras, so it is upgraded first. A stamp remembers what was
# installed: editing a requirements file installs again, nothing else does.
$(VENV)/app.stamp: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/dev.stamp: $(VENV)/app.stamp requirements-dev.txt requirements-cluster.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@

app: $(VENV)/app.stamp  ## install what is needed and open the app on http://localhost:8501
	$(BIN)/python -m streamlit run app.py --server.port $(PORT)

test: $(VENV)/dev.stamp  ## the default test suite (minutes)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(TWO)

# Two Milvus servers at once keep each other from starting; beside tests that start processes one did not start either.
test-slow: $(VENV)/dev.stamp  ## what trains the real model and drives the real browser for long
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "slow and not alone" --timeout=900 $(TWO)
	$(BIN)/python -m pytest -m "slow and alone"

check: $(VENV)/dev.stamp  ## formatting, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/bench.stamp: $(VENV)/dev.stamp requirements-bench.txt
	$(BIN)/python -m pip install --quiet -r requirements-bench.txt
	touch $@

bench: $(VENV)/bench.stamp  ## the tables of the README, on the data sets in BESPOKE_DATA
	$(BIN)/python -m benchmarks.quality
	$(BIN)/python -m benchmarks.targets --folder $$(mktemp -d) --documents-only
	$(BIN)/python -m benchmarks.members
	$(BIN)/python -m benchmarks.keywords
	$(BIN)/python -m benchmarks.side_by_side
	$(BIN)/python -m benchmarks.intake
	$(BIN)/python -m benchmarks.encoding
	$(BIN)/python -m benchmarks.first_search
	$(BIN)/python -m benchmarks.growth
	$(BIN)/python -m benchmarks.insight
	$(BIN)/python -m benchmarks.map_frames

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
