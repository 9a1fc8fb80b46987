"""The same weights give the same outputs on TensorFlow, JAX and PyTorch."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Name to array, of a backend, in a fresh interpreter."""
    folder = tmp_path_factory.mktemp("answers")

    def ask(backend):
        file = folder / f"{backend}.npz"
        if not file.exists():
            environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
            command = [sys.executable, "-m", "tests.zoo.answers", str(file)]
            done = subprocess.run(
                command, capture_output=True, text=True, env=environment, cwd=ROOT
            )
            assert done.returncode == 0, done.stderr
        return dict(np.load(file))

    return ask


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_every_layer_and_model_answers_as_on_tensorflow(backend, answers):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    expected, got = answers("tensorflow"), answers(backend)
    assert got.keys() == expected.keys()
    for name, array in expected.items():
        assert np.isfinite(array).all(), name
        assert_allclose(got[name], array, rtol=1e-4, atol=1e-5, err_msg=name)
