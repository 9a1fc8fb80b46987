"""Attributions: against derivatives by differences, completeness, and cases known beforehand."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.explain.attribution import METHODS, Attribution, shares
from zoo.explain.attributor import Attributor
from zoo.explain.leaving_out import without_each

SOURCE = np.array([[5, 6, 7, 3], [8, 3, 0, 0]], np.int32)
TARGET = np.array([[2, 5, 9, 3], [2, 7, 3, 0]], np.int32)
SIZES = {"source_vocabulary_size": 12, "target_vocabulary_size": 13}
SMALL = {
    "bahdanau-gru": {"embedding_dim": 6, "units": 8},
    "seq2seq-gru": {"embedding_dim": 6, "units": 8},
    "transformer-lite": {"dim": 8, "num_layers": 1, "num_heads": 2, "hidden_dim": 12},
}


@pytest.fixture(scope="module", params=SMALL)
def attributor(request):
    model, rng = zoo.build(request.param, **SIZES, **SMALL[request.param]), np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.4, weight.shape) for weight in model.get_weights()])
    return Attributor(model, rows=6)


def said(model, source, factors=1.0):
    """Log-probability of each token of `TARGET`, source embeddings scaled by `factors`."""
    vectors = model.source_embedding(source) * tf.constant(factors, tf.float32)
    logits, _ = model.forced((vectors, tf.constant(source != 0), tf.constant(TARGET[:, :-1])))
    logits = logits.numpy().astype(float)
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    gains = np.take_along_axis(logs, TARGET[:, 1:, None], axis=2)[:, :, 0]
    return np.where(TARGET[:, 1:] == 0, 0, gains)


def test_input_x_gradient_is_the_derivative_by_differences(attributor):
    values = attributor.input_x_gradient(tf.constant(SOURCE), tf.constant(TARGET))
    assert values.shape == (2, 3, 4)
    for place in range(4):
        by = 1e-2 * (np.arange(4) == place)[None, :, None]
        up, down = (said(attributor.model, SOURCE, 1 + sign * by) for sign in (1, -1))
        np.testing.assert_allclose(values[:, :, place], (up - down) / 2e-2, atol=2e-3)


def test_integrated_gradients_are_complete(attributor):
    change = said(attributor.model, SOURCE) - said(attributor.model, SOURCE, 0.0)
    found = attributor.attribute("integrated-gradients", SOURCE, TARGET, steps=256)
    for i, one in enumerate(found):
        targets, sources = one.values.shape
        assert (targets, sources) == [(3, 4), (2, 2)][i]
        np.testing.assert_allclose(one.change, change[i, :targets], atol=1e-4)
        np.testing.assert_allclose(one.values.sum(1), one.change, atol=0.01)
        assert one.residual < 0.01


def test_padding_gets_nothing_and_batch_mates_change_nothing(attributor):
    for values in (
        attributor.integrated_gradients(tf.constant(SOURCE), tf.constant(TARGET), 8),
        attributor.leave_one_out(tf.constant(SOURCE), tf.constant(TARGET)),
    ):
        np.testing.assert_allclose(values[1, :, 2:], 0, atol=1e-5)
        np.testing.assert_allclose(values[1, 2], 0, atol=1e-6)
    for method in METHODS:
        both = attributor.attribute(method, SOURCE, TARGET, steps=8)[1]
        alone = attributor.attribute(method, SOURCE[1:, :2], TARGET[1:, :3], steps=8)[0]
        np.testing.assert_allclose(both.values, alone.values, atol=1e-5)


def test_leaving_one_out_is_scoring_the_rest(attributor):
    values = attributor.leave_one_out(tf.constant(SOURCE), tf.constant(TARGET))
    rest = np.array([[5, 7, 3], [8, 3, 0]], np.int32)  # without 6; without padding
    lost = said(attributor.model, SOURCE) - said(attributor.model, rest)
    np.testing.assert_allclose(values[0, :, 1], lost[0], atol=1e-4)


def test_each_sentence_without_each_token():
    np.testing.assert_array_equal(
        without_each(np.array([[5, 6, 3], [7, 3, 0]])),
        [[6, 3, 0], [5, 3, 0], [5, 6, 0], [3, 0, 0], [7, 0, 0], [7, 3, 0]],
    )


def test_residual_and_shares_by_hand():
    one = Attribution("x", np.array([[1.0, -3.0], [0.0, 0.0]]), np.array([-1.5, 0.5]))
    assert one.residual == pytest.approx((0.5 + 0.5) / 2)
    np.testing.assert_allclose(one.residuals, [0.5 / 1.5, 1])
    np.testing.assert_allclose(one.shares, [[0.25, 0.75], [0, 0]])


def test_what_is_noise_has_neither_shares_nor_a_residual():
    values, change = np.array([[0.009, -0.003], [0.01, 0.0]]), np.array([0.006, 0.01])
    one = Attribution("x", values, change)
    np.testing.assert_allclose(one.residuals, [np.nan, 0])
    np.testing.assert_allclose(one.shares, [[0, 0], [1, 0]])
    np.testing.assert_allclose(shares(values), [[0.75, 0.25], [1, 0]])


def test_bad_settings_say_so(attributor):
    with pytest.raises(ValueError, match="'lime'; there are integrated-gradients"):
        attributor.attribute("lime", SOURCE, TARGET)
    with pytest.raises(ValueError, match="from 2 to 1048576 steps, got 0"):
        attributor.attribute("integrated-gradients", SOURCE, TARGET, steps=0)
