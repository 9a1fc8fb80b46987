PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: demo serve test test-slow test-backends bench docs pictures screenshot lint clean

demo: .venv/installed  ## train, evaluate, export, serve, ask, draw
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python examples/dates.py

serve: .venv/installed  ## the trained models that ship, on REST 8501 and gRPC 8500
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/attention-zoo serve saved_models

test: .venv/installed  ## the tests
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-slow: .venv/peers  ## the tests that take long, drive a browser, or compare with PyTorch and keras-hub
	ATTENTION_ZOO_WHEELS=$${ATTENTION_ZOO_WHEELS:-.venv/wheels} TF_CPP_MIN_LOG_LEVEL=3 \
		$(BIN)/python -m pytest -m "slow or peer"

test-backends: .venv/peers  ## the layers' and models' tests on TensorFlow, JAX and PyTorch
	for backend in tensorflow jax torch; do \
		KERAS_BACKEND=$$backend TF_CPP_MIN_LOG_LEVEL=3 JAX_COMPILATION_CACHE_DIR=.venv/jax \
		JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1 \
		$(BIN)/python -m pytest -n 2 -p tests.evidence --evidence build/evidence -m "not slow or shows" \
		tests/zoo/layers tests/zoo/models || exit 1; \
	done
	$(BIN)/python -m tests.evidence build/evidence
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m pytest -m slow tests/zoo/test_backends.py

bench: .venv/installed  ## tables of speed; PyTorch beside them where it is installed
	$(BIN)/python benchmarks/layers.py

docs: .venv/installed  ## docs/layers.md, from the docstrings
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python docs/make_layers.py

pictures: .venv/installed  ## its pictures; trains the models that runs/pictures lacks
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python docs/make_pictures.py

screenshot: .venv/peers  ## docs/demo.png, of the page; needs Chromium
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m pytest tests/demo/test_browser.py --screenshot docs/demo.png

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf .venv runs build *.egg-info

.venv/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable ".[dev,plots,serving,text]"
	touch $@

.venv/peers: .venv/installed
	$(BIN)/pip install --quiet --editable ".[dev,plots,serving,text,bench,demo,browser]"
	touch $@
