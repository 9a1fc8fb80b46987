"""The projection and its loss in one, against the loss of all logits."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from training import linear_crossentropy as module
from training.linear_crossentropy import LinearLearner, linear_crossentropy
from training.losses import TokenAccuracy, TokenCrossentropy

DIM, VOCABULARY = 5, 11
LABELS = np.array([[3, 10, 1, 0], [2, 0, 0, 0], [4, 4, 9, 6]])
TARGET_IN = np.array([[1, 3, 10, 1], [1, 2, 0, 0], [1, 4, 4, 9]])
SOURCE = np.array([[4, 3, 2], [2, 5, 0], [7, 7, 7]])


@pytest.fixture(params=[1, 3, 4, 100], ids="{} rows".format)
def rows_at_a_time(request, monkeypatch):
    monkeypatch.setattr(module, "ROWS", 1)
    monkeypatch.setattr(module, "LOGITS", request.param * VOCABULARY)


def given(scale=1.0):
    random = np.random.default_rng(0)
    shapes = (*LABELS.shape, DIM), (DIM, VOCABULARY), (VOCABULARY,)
    return [tf.constant(scale * random.normal(size=shape), "float32") for shape in shapes]


def of_all_logits(x, matrix, bias, labels, smoothing):
    logits = tf.matmul(x, matrix)
    if bias is not None:
        logits += bias
    return TokenCrossentropy(smoothing)(labels, logits), logits


def with_gradients(loss, x, matrix, bias, labels, smoothing):
    """Of three times the loss."""
    watched = [tensor for tensor in (x, matrix, bias) if tensor is not None]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        value, more = loss(x, matrix, bias, labels, smoothing)
        thrice = 3 * value
    return value, more, tape.gradient(thrice, watched)


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("smoothing", [0, 0.1])
@pytest.mark.parametrize("scale", [1.0, 40.0])  # the label's own probability is 0 to a float
def test_equals_the_loss_of_all_logits(rows_at_a_time, smoothing, biased, scale):
    x, matrix, bias = given(scale)
    values = x, matrix, bias if biased else None, LABELS, smoothing
    expected, logits, gradients = with_gradients(of_all_logits, *values)
    loss, right, got = with_gradients(tf.function(linear_crossentropy), *values)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    for one, other in zip(got, gradients, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6 * scale, rtol=1e-5)
    accuracy = TokenAccuracy()
    accuracy.update_state(LABELS, logits)
    np.testing.assert_allclose(np.mean(right), accuracy.result())
    assert right.shape == (np.count_nonzero(LABELS),)


def test_nothing_but_padding_costs_nothing():
    loss, right, gradients = with_gradients(
        linear_crossentropy, *given(), np.zeros((3, 4), int), 0.1
    )
    assert float(loss) == 0 and right.shape == (0,)
    assert not any(np.any(gradient) for gradient in gradients)


@pytest.mark.parametrize(
    "preset, overrides",
    [
        ("luong-dot", {"units": 4, "embedding_dim": 3, "bidirectional": False}),
        ("bahdanau-gru", {"units": 4, "embedding_dim": 3, "tie_embeddings": True}),
        ("transformer-lite", {"dim": 4, "num_heads": 2, "num_layers": 1}),
        (
            "transformer-lite",
            {"dim": 4, "num_heads": 2, "num_layers": 1, "tie_embeddings": True},
        ),
    ],
)
def test_steps_equal_those_of_the_model_itself(preset, overrides):
    keras.utils.set_random_seed(0)
    sizes = dict.fromkeys(("source_vocabulary_size", "target_vocabulary_size"), VOCABULARY)
    plain = zoo.build(preset, **sizes, **overrides, dropout=0.0)
    model = type(plain).from_config(plain.get_config())
    model.set_weights(plain.get_weights())
    learning = LinearLearner(model, 0.1)
    results = []
    for each in (plain, learning):
        each.compile(keras.optimizers.SGD(0.1), TokenCrossentropy(0.1), metrics=[TokenAccuracy()])
        steps = [
            each.train_on_batch((SOURCE, TARGET_IN), LABELS, return_dict=True) for _ in range(3)
        ]
        results.append([(step["loss"], step["accuracy"]) for step in steps])
    np.testing.assert_allclose(*results, rtol=1e-5)
    assert len(model.trainable_variables) == len(learning.trainable_variables)
    for one, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_it_answers_as_its_model():
    sizes = dict.fromkeys(("source_vocabulary_size", "target_vocabulary_size"), VOCABULARY)
    model = zoo.build("luong-dot", **sizes, units=4, embedding_dim=3, bidirectional=False)
    inputs = SOURCE, TARGET_IN
    np.testing.assert_array_equal(LinearLearner(model, 0.1)(inputs), model(inputs))


def test_sample_weights_are_refused():
    sizes = dict.fromkeys(("source_vocabulary_size", "target_vocabulary_size"), VOCABULARY)
    model = zoo.build("luong-dot", **sizes, units=4, embedding_dim=3, bidirectional=False)
    learning = LinearLearner(model, 0.1)
    learning.compile("sgd", TokenCrossentropy(0.1), metrics=[])
    with pytest.raises(ValueError, match="got sample weights"):
        learning.train_on_batch((SOURCE, TARGET_IN), LABELS, sample_weight=np.ones(3))
