import keras
import numpy as np
import pytest

from training.losses import TokenAccuracy, TokenCrossentropy


def logits(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_equals_one_hot_smoothing_over_the_tokens_that_are_no_padding(smoothing):
    labels, scores = np.array([[1, 4, 0, 0], [3, 2, 2, 5]]), logits(2, 4, 6)
    real = labels > 0
    one_hot = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    expected = one_hot(np.eye(6, dtype="float32")[labels[real]], scores[real])
    np.testing.assert_allclose(TokenCrossentropy(smoothing)(labels, scores), expected, rtol=1e-5)


def test_uniform_logits_cost_the_logarithm_of_the_vocabulary():
    np.testing.assert_allclose(
        TokenCrossentropy(0.3)(np.array([[1, 2]]), np.zeros((1, 2, 8))), np.log(8), rtol=1e-6
    )


def test_what_stands_on_padding_does_not_matter():
    labels, scores = np.array([[1, 0]]), logits(1, 2, 5)
    other = scores.copy()
    other[0, 1] = 100.0
    np.testing.assert_array_equal(
        TokenCrossentropy(0.1)(labels, scores), TokenCrossentropy(0.1)(labels, other)
    )


def test_nothing_but_padding_costs_nothing():
    assert float(TokenCrossentropy()(np.zeros((1, 3), int), logits(1, 3, 5))) == 0


def test_accuracy_is_over_real_tokens():
    scores = np.eye(4)[np.array([[1, 2, 0], [3, 3, 3]])]
    accuracy = TokenAccuracy()
    accuracy.update_state(np.array([[1, 3, 0], [3, 0, 0]]), scores)
    np.testing.assert_allclose(accuracy.result(), 2 / 3)
