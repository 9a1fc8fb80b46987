PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: demo test test-slow lint clean

demo: .venv/installed  ## train, evaluate, export, serve, ask, draw
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python examples/dates.py

test: .venv/installed
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m pytest -m "not slow"

test-slow: .venv/installed
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m pytest -m slow

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf .venv runs build *.egg-info

.venv/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable ".[dev,plots,serving,text]"
	touch $@
