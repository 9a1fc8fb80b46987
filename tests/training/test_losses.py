import keras
import numpy as np
import pytest

from training.losses import TokenAccuracy, TokenCrossentropy, alignment_crossentropy


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


def test_the_attention_s_loss_is_over_the_tokens_that_have_a_gold_alignment():
    """The first of three tokens should look at keys 0 and 1, the third at key 2."""
    gold = np.array([[0, 2, 0, 0, 2, 3], [0, 0, 0, 0, 0, 0]])
    attention = np.full((2, 3, 4), 0.25, "float32")
    attention[0, 0] = [0.5, 0.2, 0.3, 0.0]
    attention[0, 2] = [0.1, 0.1, 0.8, 0.0]
    expected = -((np.log(0.5) + np.log(0.2)) / 2 + np.log(0.8)) / 2
    np.testing.assert_allclose(alignment_crossentropy(gold, attention), expected, rtol=1e-6)


def test_weights_of_zero_have_a_finite_loss_and_no_gold_has_none():
    attention = np.zeros((1, 2, 3), "float32")
    assert 10 < float(alignment_crossentropy(np.array([[0, 1, 1, 2]]), attention)) < 20
    assert float(alignment_crossentropy(np.zeros((1, 4), int), attention)) == 0
