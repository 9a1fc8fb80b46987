"""Model files in full and in half precision."""

import keras
import numpy as np
import pytest

import zoo
from zoo.models.storing import store


@pytest.fixture(params=["bahdanau-gru", "transformer-lite"])
def model(request):
    return zoo.build(request.param, source_vocabulary_size=300, target_vocabulary_size=200)


def test_half_precision_rounds_each_weight_and_halves_the_file(model, tmp_path):
    store(model, tmp_path / "whole.keras")
    store(model, tmp_path / "half.keras", "float16")
    whole, half = (tmp_path / f"{name}.keras" for name in ("whole", "half"))
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    loaded = keras.saving.load_model(half, compile=False)
    for got, weight in zip(loaded.weights, model.weights, strict=True):
        assert got.dtype == weight.dtype
        expected = keras.ops.convert_to_numpy(weight)
        if expected.dtype == np.float32:
            expected = expected.astype("float16").astype("float32")
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(got), expected)


def test_the_optimizer_is_left_out(model, tmp_path):
    store(model, tmp_path / "before.keras")
    model.compile("adam", "sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    for slot in model.optimizer.variables[2:]:
        slot.assign(keras.random.normal(slot.shape))
    store(model, tmp_path / "after.keras")
    before, after = ((tmp_path / f"{name}.keras").stat().st_size for name in ("before", "after"))
    assert after < 1.1 * before
    loaded = keras.saving.load_model(tmp_path / "after.keras")
    assert not loaded.compiled
    assert [weight.shape for weight in loaded.weights] == [weight.shape for weight in model.weights]


def test_a_weight_beyond_half_precision_is_refused(model, tmp_path):
    weight = model.weights[0]
    weight.assign(keras.ops.ones_like(weight) * 1e5)
    with pytest.raises(ValueError, match="beyond float16; store the model in float32"):
        store(model, tmp_path / "half.keras", "float16")
