"""What holds for every public layer."""

import inspect
import json

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import zoo.layers

# Some units in the last place of each precision, after up to a dozen sums of eight products.
BOUNDS = {"float16": 0.02, "bfloat16": 0.15}


def test_every_public_layer_has_a_row(rows):
    public = {getattr(zoo.layers, name) for name in zoo.layers.__all__}
    assert all(inspect.isclass(layer) for layer in public)
    assert public <= {base for row in rows.values() for base in type(row.make()).__mro__}


def test_config_survives_json(row, built, numbers):
    layer, inputs = built(row)
    copy = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    row.call(copy, *inputs)
    copy.set_weights(layer.get_weights())
    assert_allclose(numbers(row.call(copy, *inputs)), numbers(row.call(layer, *inputs)), rtol=1e-6)


def test_keras_file_gives_the_same_output(row, built, numbers, tmp_path):
    layer, inputs = built(row)
    symbols = [keras.Input(array.shape[1:], dtype=str(array.dtype)) for array in inputs]
    model = keras.Model(symbols, row.call(layer, *symbols))
    model.save(tmp_path / "layer.keras")
    loaded = keras.saving.load_model(tmp_path / "layer.keras")
    assert_allclose(numbers(loaded(list(inputs))), numbers(row.call(layer, *inputs)), rtol=1e-6)


def test_batch_mates_change_nothing(row, built, numbers):
    layer, inputs = built(row)
    together = numbers(row.call(layer, *inputs))
    for i in range(3):
        single = row.call(layer, *(array[i : i + 1] for array in inputs))
        assert_allclose(numbers(single)[0], together[i], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", BOUNDS)
def test_half_precision_agrees_with_single(row, built, numbers, dtype, policy):
    layer, inputs = built(row)
    expected = numbers(row.call(layer, *inputs))
    policy(f"mixed_{dtype}")
    half = row.make()
    row.call(half, *inputs)
    half.set_weights(layer.get_weights())
    output = row.call(half, *inputs)
    assert keras.backend.standardize_dtype(output.dtype) == dtype
    scale = np.abs(expected).max()
    assert_allclose(numbers(output), expected, rtol=0, atol=scale * BOUNDS[dtype])


def test_training_moves_every_weight(row, built):
    layer, inputs = built(row)
    if not layer.weights or not row.learns:
        pytest.skip("nothing to learn")
    symbols = [keras.Input(array.shape[1:], dtype=str(array.dtype)) for array in inputs]
    model = keras.Model(symbols, row.call(layer, *symbols))
    model.compile(keras.optimizers.SGD(1.0), "mse", run_eagerly=True)
    before = model.get_weights()
    target = np.ones(row.call(layer, *inputs).shape, "float32")
    model.train_on_batch(list(inputs), target)
    for weight, old, new in zip(model.weights, before, model.get_weights(), strict=True):
        assert np.abs(new - old).max() > 1e-5, weight.path
