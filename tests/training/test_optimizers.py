"""Each optimizer against its paper's formula, on the gradient that is hard: an embedding's."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.optimizers import optimizer
from training.recipe import OPTIMIZERS, Recipe

ROOT = Path(__file__).parents[2]
IDS = np.array([[1, 1, 2, 1], [3, 2, 2, 0]])  # of an untied embedding; they occur repeatedly
RATE, DECAY = 0.03, 0.1
FREE = 1e12  # a clip that no gradient reaches


def table(rows=5, dim=3):
    return np.random.default_rng(0).normal(size=(rows, dim)).astype("float32")


def recipe_of(name, **fields):
    decay = DECAY if name in ("adamw", "lion") else 0.0
    given = {"learning_rate": RATE, "clip_norm": FREE, "weight_decay": decay, **fields}
    return Recipe(optimizer=name, **given)


def gradient(weights):
    """Of half the sum of squares of all rows looked up, less 1: a row's sum over its tokens."""
    times = np.bincount(IDS.ravel(), minlength=len(weights))[:, None]
    return times * (weights - 1.0)


def sgd(w, g, t, state):
    return w - RATE * g


def adam(w, g, t, state):
    m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
    v = state["v"] = 0.98 * state.get("v", 0) + 0.02 * g**2
    # Keras puts epsilon beside the uncorrected root ("epsilon hat" in Kingma, Ba, section 2).
    return w - RATE * np.sqrt(1 - 0.98**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-9)


def adamw(w, g, t, state):
    return adam(w - RATE * DECAY * w, g, t, state)


def adafactor(w, g, t, state):
    beta = 1 - t**-0.8
    square = g**2 + 1e-30
    r = state["r"] = beta * state.get("r", 0) + (1 - beta) * square.mean(1)
    c = state["c"] = beta * state.get("c", 0) + (1 - beta) * square.mean(0)
    u = g / np.sqrt(np.outer(r, c) / r.mean())
    u /= max(1.0, np.sqrt((u**2).mean()))
    return w - max(1e-3, np.sqrt((w**2).mean())) * min(RATE, t**-0.5) * u


def lion(w, g, t, state):
    m = state.get("m", np.zeros_like(w))
    state["m"] = 0.99 * m + 0.01 * g
    return w - RATE * DECAY * w - RATE * np.sign(0.9 * m + 0.1 * g)


REFERENCE = {"sgd": sgd, "adam": adam, "adamw": adamw, "adafactor": adafactor, "lion": lion}


def expected(name, steps=10, clip=FREE):
    weights, state = table().astype("float64"), {}
    for t in range(1, steps + 1):
        g = gradient(weights)
        g *= min(1.0, clip / np.sqrt((g**2).sum()))
        weights = REFERENCE[name](weights, g, t, state)
    return weights


def embedding():
    layer = keras.layers.Embedding(5, 3)
    layer.build()
    layer.embeddings.assign(table())
    return layer


def trained(recipe, steps=10):
    layer = embedding()
    made = optimizer(recipe, [layer.embeddings], 100)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(layer(IDS) - 1.0)) / 2
            scaled = made.scale_loss(loss)
        gradients = tape.gradient(scaled, [layer.embeddings.value])
        assert isinstance(gradients[0], tf.IndexedSlices)
        made.apply(gradients, [layer.embeddings])
    return layer.embeddings.numpy()


@pytest.mark.parametrize("clip", [FREE, 1.0], ids=["free", "clipped"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_ten_steps_on_repeated_ids_equal_the_paper_s(name, clip):
    got = trained(recipe_of(name, clip_norm=clip))
    np.testing.assert_allclose(got, expected(name, clip=clip), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_equal_batches_accumulated_make_the_updates_of_one(name):
    """And the gradient is clipped when it is whole; the schedule counts updates."""
    fields = {"clip_norm": 1.0, "schedule": "halving", "halve_after": 0.04, "halve_every": 1.0}
    one = trained(recipe_of(name, **fields), steps=6)
    four = {**fields, "halve_after": 0.16, "accumulate": 4}
    np.testing.assert_allclose(trained(recipe_of(name, **four), steps=24), one, atol=1e-6)


def test_clipping_is_of_the_mean_gradient_and_not_of_each_batch_s():
    """Gradients of 3 and -1 have the mean 1: with a clip of 1 the step is 1, not (1 - 1) / 2."""
    weight = keras.Variable(np.zeros((1, 1), "float32"))
    made = optimizer(recipe_of("sgd", clip_norm=1.0, accumulate=2), [weight], 1)
    for value in (3.0, -1.0):
        made.apply([tf.fill((1, 1), value)], [weight])
    np.testing.assert_allclose(weight.numpy(), [[-RATE]], rtol=1e-6)


def test_loss_scaling_leaves_the_steps_as_they_are():
    got = trained(recipe_of("adam", precision="mixed_float16"))
    np.testing.assert_allclose(got, expected("adam"), rtol=1e-6, atol=1e-6)


def test_loss_scaling_leaves_out_an_update_that_is_not_finite():
    weight = keras.Variable(np.ones((2, 2), "float32"))
    made = optimizer(recipe_of("adam", precision="mixed_float16"), [weight], 1)
    scale = float(made.dynamic_scale)
    made.apply([tf.fill((2, 2), float("inf"))], [weight])
    np.testing.assert_array_equal(weight.numpy(), np.ones((2, 2)))
    assert float(made.dynamic_scale) == scale / 2
    assert int(made.iterations) == 0


@pytest.mark.parametrize("name", ["adamw", "lion"])
def test_biases_and_norms_do_not_decay(name):
    matrix, bias = (keras.Variable(np.ones(shape, "float32")) for shape in ((2, 2), (2,)))
    made = optimizer(recipe_of(name), [matrix, bias], 1)
    made.apply([tf.zeros((2, 2)), tf.zeros(2)], [matrix, bias])
    np.testing.assert_allclose(matrix.numpy(), 1 - RATE * DECAY, rtol=1e-6)
    np.testing.assert_array_equal(bias.numpy(), np.ones(2))


# Ten steps of each optimizer through `fit`'s own step, on whichever backend Keras has.
BACKEND = """
import json, sys
import keras, numpy as np
from training.optimizers import optimizer
from training.recipe import Recipe

class SumOfSquares(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.sum(keras.ops.square(y_pred - y_true)) / 2

ids, table, fields = json.loads(sys.argv[1])
ids, table = np.array(ids), np.array(table, "float32")
answers = {}
for name, given in fields.items():
    model = keras.Sequential([keras.Input((4,), dtype="int32"), keras.layers.Embedding(*table.shape)])
    model.layers[0].embeddings.assign(table)
    model.compile(optimizer(Recipe(**given), model.trainable_variables, 100), SumOfSquares())
    for _ in range(10):
        model.train_on_batch(ids, np.ones((2, 4, 3), "float32"))
    answers[name] = np.asarray(keras.ops.convert_to_numpy(model.layers[0].embeddings)).tolist()
print(json.dumps(answers))
"""  # noqa: E501


@pytest.mark.slow
@pytest.mark.peer
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_ten_steps_equal_those_of_another_backend(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    fields = {
        name: {
            "optimizer": name,
            "learning_rate": RATE,
            "clip_norm": FREE,
            "weight_decay": recipe_of(name).weight_decay,
        }
        for name in OPTIMIZERS
    }
    arguments = json.dumps([IDS.tolist(), table().tolist(), fields])
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", BACKEND, arguments],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    for name in OPTIMIZERS:
        np.testing.assert_allclose(
            answers[name], trained(recipe_of(name)), rtol=1e-6, atol=1e-6, err_msg=name
        )
