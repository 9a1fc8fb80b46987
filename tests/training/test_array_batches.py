"""NumPy's batches train a model on a backend without TensorFlow."""

import importlib.util
import os
import subprocess
import sys

import pytest

TRAINING = """
import sys
sys.modules["tensorflow"] = None  # any import of it now fails
import numpy as np
import zoo
from training.array_batches import ArrayBatches
from training.losses import TokenAccuracy, TokenCrossentropy
from training.recipe import Recipe
from training.token_pairs import Sequences, TokenPairs

ids = np.tile(np.array([2, 5, 6, 3], np.int32), 40)  # START, two words, END
offsets = np.arange(41, dtype=np.int64) * 4
pairs = TokenPairs(Sequences(ids, offsets), Sequences(ids, offsets))
batches = ArrayBatches.of(pairs, Recipe(batch_size=16))
model = zoo.build(
    "luong-dot", source_vocabulary_size=9, target_vocabulary_size=9, units=4, embedding_dim=4
)
model.compile("adam", TokenCrossentropy(), metrics=[TokenAccuracy()])
history = model.fit(
    batches.from_epoch(0, skip=1), steps_per_epoch=2, epochs=2, verbose=0, shuffle=False
)
losses = [*history.history["loss"], model.evaluate(batches.in_order(), verbose=0)[0]]
print(len(batches), len(losses), np.isfinite(losses).all(), losses[-1] < losses[0])
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax"])
def test_a_model_is_fitted_where_tensorflow_is_not_installed(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend}
    command = [sys.executable, "-c", TRAINING]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["3", "3", "True", "True"]
