"""The same recipe, data and initial weights take the same steps on TensorFlow and on JAX."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from training.datasets.load import Pairs
from training.prepare import Preparation
from training.recipe import Recipe

SETTINGS = {
    "preset": "transformer-lite",
    "overrides": {"dim": 16, "hidden_dim": 32, "num_layers": 1, "num_heads": 2, "dropout": 0.0},
    "tokenizer": "characters",
    "batch_size": 16,
    "epochs": 1,
    "learning_rate": 0.01,
    "label_smoothing": 0.1,
    "metric": "loss",
}
STEPS = 20

# Prints the mean loss of the epoch so far, after each step.
PROCESS = """
import json, sys
import numpy as np
from training import untrained
from training.callbacks import Keeper
from training.prepared import Prepared
from training.recipe import Recipe
from training.train_prepared import train_prepared

settings, prepared, folder = json.loads(sys.argv[1])
build, losses = untrained.build, []

def same(*arguments):
    model, random = build(*arguments), np.random.default_rng(0)
    for variable in model.trainable_variables:
        if len(variable.shape) > 1:  # the others begin as zeros or ones
            variable.assign(random.normal(size=variable.shape, scale=variable.shape[0] ** -0.5))
    return model

untrained.build = same
Keeper.on_train_batch_end = lambda self, batch, logs: losses.append(float(logs["loss"]))
recipe, data = Recipe(**settings), Prepared.read(prepared)
train_prepared(recipe, "own", data, runs=folder, saved_models=folder + "/models")
print(json.dumps(losses))
"""


def losses(backend, prepared, folder):
    """Of each step."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    arguments = json.dumps([SETTINGS, str(prepared), str(folder / backend)])
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": backend},
    )
    assert done.returncode == 0, done.stderr
    sums = np.array(json.loads(done.stdout.splitlines()[-1])) * np.arange(1, STEPS + 1)
    return np.diff(sums, prepend=0)


@pytest.mark.slow
def test_each_step_has_the_same_loss(tmp_path):
    """All pairs are of one length, so that all batches have as many rows."""
    numbers = [str(n) for n in range(1000, 1000 + 16 * STEPS)]
    doubles = [str(2 * int(n)) for n in numbers]
    splits = {"train": Pairs("own", numbers, doubles), "validation": Pairs("own", ["1"], ["2"])}
    Preparation(Recipe(**SETTINGS), splits, tmp_path / "data").finish()
    ours, others = (losses(name, tmp_path / "data", tmp_path) for name in ("tensorflow", "jax"))
    np.testing.assert_allclose(ours, others, atol=1e-4)
    assert others[-1] < others[0]
