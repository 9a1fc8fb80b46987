"""Validation's measures, against sums in NumPy over tokens of batches that differ in size."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.judge import Judge
from training.quality import better
from training.recipe import Recipe

# Of 1, 3 and 8 tokens, and of three lengths; a mean of the three means is another number.
TARGETS = [[[0, 0, 3]], [[1, 2], [4, 0]], [[2, 1, 4, 2], [3, 1, 1, 4]]]
SMOOTHING = 0.1


class Held:
    """Batches of the targets."""

    def __len__(self):
        return len(TARGETS)

    def in_order(self):
        ids = tf.TensorSpec((None, None), tf.int32)
        batches = tf.data.Dataset.from_generator(
            lambda: (((target, target), target) for target in TARGETS),
            output_signature=((ids, ids), ids),
        )
        return batches.apply(tf.data.experimental.assert_cardinality(len(TARGETS)))


@pytest.fixture(scope="module")
def judge():
    table = np.random.default_rng(0).normal(size=(5, 5)).astype("float32")
    source, target = (keras.Input((None,), dtype="int32", name=name) for name in ("s", "t"))
    layer = keras.layers.Embedding(5, 5)
    model = keras.Model((source, target), layer(target))
    layer.embeddings.assign(table)

    translator = SimpleNamespace(model=model, translate_all=lambda texts: [t + "!" for t in texts])
    pairs = SimpleNamespace(sources=["a", "b"], targets=["a!", "b?"])
    recipe = Recipe(metric="exact_match", label_smoothing=SMOOTHING)
    return Judge(translator, Held(), pairs, recipe)


def log_probabilities(judge):
    """Of each token that is no padding, with its id: `(tokens, 5)` and `(tokens,)`."""
    (table,) = judge.model.get_weights()
    ids = np.concatenate([np.ravel(target) for target in TARGETS])
    ids = ids[ids > 0]
    logits = table[ids].astype("float64")
    return logits - np.log(np.exp(logits).sum(1, keepdims=True)), ids


def test_each_token_counts_alike(judge):
    log_p, ids = log_probabilities(judge)
    nll = -log_p[np.arange(len(ids)), ids]
    measured = judge.measures()
    smoothed = (1 - SMOOTHING) * nll - SMOOTHING * log_p.mean(1)
    np.testing.assert_allclose(measured["loss"], smoothed.mean(), rtol=1e-5)
    np.testing.assert_allclose(measured["perplexity"], np.exp(nll.mean()), rtol=1e-5)
    np.testing.assert_allclose(measured["accuracy"], (log_p.argmax(1) == ids).mean(), rtol=1e-6)


def test_the_metric_is_of_the_translations(judge):
    assert judge.measures()["exact_match"] == 50


def test_sees_the_weights_as_they_are_now(judge):
    before = judge.measures()["loss"]
    (table,) = judge.model.get_weights()
    judge.model.set_weights([table * 0])
    np.testing.assert_allclose(judge.measures()["loss"], np.log(5), rtol=1e-6)
    judge.model.set_weights([table])
    assert judge.measures()["loss"] == before


def test_of_the_loss_less_is_better_and_of_the_others_more():
    assert better("loss", 1.0, 2.0)
    assert not better("loss", 2.0, 2.0)
    assert better("bleu", 2.0, 1.0)
    assert not better("bleu", 2.0, 2.0)
    assert better("bleu", 0.0, None)
