"""A folded model against the one that it was made of."""

import numpy as np
import pytest
from keras import ops

import zoo
from zoo.models import Ensemble
from zoo.models.folded import FoldedTranslator, folded

SIZES = {"source_vocabulary_size": 30, "target_vocabulary_size": 30}
FOLDED = {
    "plain": {},
    "tied": {"tie_embeddings": True, "share_embeddings": True},
    "shaw": {"positions": "shaw"},
    "learned": {"positions": "learned"},
    "rotary-grouped": {"positions": "rotary", "qk_norm": True, "num_kv_heads": 2, "window": 3},
}
LEFT_ALONE = {
    "post-norm": {"norm_first": False},
    "rms": {"norm": "rms"},
    "gated feed-forward": {"gated_feed_forward": True, "activation": "silu"},
    "gated attention": {"gated_attention": True},
}
SOURCE = np.array([[5, 6, 7, 8, 9], [10, 11, 3, 0, 0]])
TARGET = np.array([[2, 4, 5, 6], [2, 7, 8, 0]])


def made(seed=0, **options):
    """A model whose weights, biases and norms are all away from where they begin."""
    model = zoo.build("transformer-lite", **SIZES, **options)
    rng = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        noise = 0.1 * rng.standard_normal(variable.shape)
        variable.assign(ops.convert_to_numpy(variable) + noise)
    return model


def values(answer):
    return ops.convert_to_numpy(answer)


@pytest.mark.parametrize("name", FOLDED)
def test_it_computes_the_same(name):
    model = made(**FOLDED[name])
    equal = folded(model)
    assert isinstance(equal, FoldedTranslator)
    assert equal.count_params() < model.count_params()
    np.testing.assert_allclose(
        values(equal((SOURCE, TARGET))), values(model((SOURCE, TARGET))), atol=2e-5
    )
    np.testing.assert_allclose(values(equal.embed(SOURCE)), values(model.embed(SOURCE)), atol=2e-5)


def test_step_by_step_too():
    model = made()
    answers = []
    for each in (model, folded(model)):
        encoded = each.encode(ops.convert_to_tensor(SOURCE))
        state, found = each.start(encoded), []
        for tokens in TARGET.T:
            given = ops.convert_to_tensor(tokens), {**encoded, **state}
            logits, state, attention = each.step(given)
            found.append(np.concatenate([values(logits), values(attention)], axis=1))
        answers.append(found)
    np.testing.assert_allclose(answers[1], answers[0], atol=2e-5)


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_it_can_not_fold_stays_as_it_is(name):
    model = zoo.build("transformer-lite", **SIZES, **LEFT_ALONE[name])
    assert folded(model) is model


def test_other_models_stay_as_they_are():
    model = zoo.build("luong-dot", **SIZES, units=8, embedding_dim=8)
    assert folded(model) is model


@pytest.mark.slow
def test_an_ensemble_is_folded_in_its_parts():
    ensemble = Ensemble([made(), made(seed=1)])
    equal = folded(ensemble)
    assert all(isinstance(each, FoldedTranslator) for each in equal.models)
    np.testing.assert_allclose(
        values(equal((SOURCE, TARGET))), values(ensemble((SOURCE, TARGET))), atol=2e-5
    )
