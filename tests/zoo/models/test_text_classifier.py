"""The many-to-one model."""

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose

import zoo.models

SMALL = {"vocabulary_size": 12, "num_classes": 3, "dim": 16, "num_heads": 2, "hidden_dim": 20}
LENGTHS = np.array([[6], [4], [1]])
close = {"rtol": 1e-4, "atol": 1e-5}


def build(**overrides):
    return zoo.models.build("attention-classifier", **{**SMALL, **overrides})


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.fixture
def ids():
    return np.random.default_rng(1).integers(1, 12, (3, 6)) * (np.arange(6) < LENGTHS)


@pytest.mark.parametrize("positions", ["sinusoidal", "rotary", "t5"])
def test_padding_and_batch_mates_change_nothing(ids, positions):
    model = build(positions=positions, num_layers=2)
    logits = numbers(model(ids))
    assert logits.shape == (3, 3)
    assert_allclose(numbers(model(np.pad(ids, ((0, 0), (0, 3))))), logits, **close)
    for i, length in enumerate(LENGTHS[:, 0]):
        assert_allclose(numbers(model(ids[i : i + 1, :length]))[0], logits[i], **close)


def test_its_weights_say_what_it_looked_at(ids):
    weights = numbers(build(hops=2).attend(ids))
    assert weights.shape == (3, 2, 6)
    assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    assert (weights.swapaxes(1, 2)[ids == 0] == 0).all()


def test_nothing_but_padding_gives_numbers(ids):
    assert np.isfinite(numbers(build()(ids * 0))).all()


@pytest.mark.parametrize("options", [{}, {"num_layers": 0, "hops": 2, "positions": "learned"}])
def test_keras_file_gives_the_same_model(ids, options, tmp_path):
    model = build(**options)
    model.save(tmp_path / "model.keras")
    loaded = zoo.models.load(tmp_path)
    assert loaded.get_config() == model.get_config()
    assert_allclose(numbers(loaded(ids)), numbers(model(ids)), rtol=1e-6, atol=1e-6)
    assert_allclose(numbers(loaded.attend(ids)), numbers(model.attend(ids)), rtol=1e-6, atol=1e-6)


def test_fit_finds_the_one_token_that_tells():
    """One of the tokens 1, 2 and 3 stands somewhere among the others, and names the class."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    ids, labels = rng.integers(4, 12, (512, 8)), rng.integers(0, 3, 512)
    places = rng.integers(0, 8, 512)
    ids[np.arange(512), places] = labels + 1
    model = build(dropout=0.0)
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(ids[:384], labels[:384], epochs=8, batch_size=64, verbose=0)
    assert model.evaluate(ids[384:], labels[384:], verbose=0)[1] > 0.95


def test_what_it_does_not_take_it_says():
    with pytest.raises(
        ValueError, match=r"takes no target_vocabulary_size; it takes: .*num_classes"
    ):
        build(target_vocabulary_size=3)


def test_a_size_below_1_is_refused():
    with pytest.raises(ValueError, match="TextClassifier: `hops` must be 1 or more, got 0"):
        build(hops=0)
