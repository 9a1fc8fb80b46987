"""Strings drawn by chance: from the right distribution, and the same ones for the same seed."""

import collections

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.decoding.language_model import STRINGS, RandomLanguageModel, strings
from zoo.decoding import Rules, greedy, sample


def draw(model, seeds, temperature=1.0, top_k=0, top_p=1.0, count=1, **options):
    rows = len(seeds)
    settings = (tf.fill([rows], value) for value in (temperature, top_k, top_p))
    return model.decode(sample, tf.constant(seeds), *settings, count=count, **options)


@pytest.fixture(scope="module")
def model():
    return RandomLanguageModel(4)


def shares(found, source=0):
    counts = collections.Counter(strings(found, source))
    return {string: count / counts.total() for string, count in counts.items()}


def apart(left, right):
    """Total variation distance."""
    names = set(left) | set(right)
    return sum(abs(left.get(name, 0) - right.get(name, 0)) for name in names) / 2


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_strings_come_as_often_as_they_are_probable(model, temperature):
    found = draw(model, [0, 1], temperature, count=4000)
    expected = {}
    for string, _ in model.ranked(0):
        share = 1.0
        for place, (prefix, token) in enumerate(zip(model.prefixes(string), string, strict=True)):
            allowed = np.exp(model.table[0, prefix] / temperature)
            allowed[[0, 2]] = 0  # PAD and START
            share *= 1 if place == 3 else allowed[token] / allowed.sum()
        expected[string] = share
    assert apart(shares(found), expected) < 0.05


def test_the_score_is_the_models_own_log_probability(model):
    found = draw(model, [5, 6], 2.0, 3, 0.9, count=20)
    for source in range(2):
        for string, score in zip(strings(found, source), found.scores[source], strict=True):
            np.testing.assert_allclose(score, model.log_probability(source, string), atol=1e-4)


def test_the_same_seed_draws_the_same_string_whatever_else_is_in_the_batch(model):
    together = draw(model, [7, 8], count=8)
    alone = draw(model, [8], count=3, sources=[1])
    assert strings(alone, 0) == strings(together, 1)[:3]
    np.testing.assert_allclose(alone.scores[0], together.scores[1, :3], atol=1e-5)


@pytest.mark.parametrize("temperature", [1e30, float("inf")])
def test_however_hot_it_is_what_is_forbidden_stays_so(model, temperature):
    found = draw(model, [1, 2], temperature, count=500)
    for source in range(2):
        assert set(strings(found, source)) <= set(STRINGS)
    assert apart(shares(found), shares(draw(model, [3, 4], 1e5, count=500))) < 0.3


def test_other_seeds_draw_other_strings(model):
    drawn = {tuple(strings(draw(model, [seed, 0], count=8), 0)) for seed in range(5)}
    assert len(drawn) == 5


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0.0},
        {"temperature": 1e-30},
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"top_k": 1},
        {"top_p": 1e-6},
        {"top_p": float("nan")},
    ],
    ids=str,
)
def test_nothing_left_to_chance_is_greedy(model, options):
    found, expected = draw(model, [1, 2], **options), model.decode(greedy)
    np.testing.assert_array_equal(found.tokens, expected.tokens)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)


def allowed_first(model, source):
    """Probabilities of the first token, the best first."""
    share = np.exp(model.table[source, 0])
    share[[0, 2]] = 0
    order = np.argsort(-share)
    return order, share[order] / share.sum()


def test_top_k_draws_from_the_most_probable_alone(model):
    found = draw(model, [3, 4], top_k=2, count=500)
    order, _ = allowed_first(model, 0)
    assert {string[0] for string in strings(found, 0)} == set(order[:2])


def test_top_p_draws_from_the_fewest_that_hold_so_much(model):
    found = draw(model, [3, 4], top_p=0.7, count=500)
    order, share = allowed_first(model, 0)
    count = int(np.searchsorted(np.cumsum(share), 0.7)) + 1
    assert {string[0] for string in strings(found, 0)} == set(order[:count])


def test_settings_may_differ_from_source_to_source(model):
    found = model.decode(
        sample, tf.constant([1, 1]), tf.constant([0.0, 1.0]), tf.constant([0, 0]), tf.ones(2), 50
    )
    assert len(set(strings(found, 0))) == 1 < len(set(strings(found, 1)))


def test_rules_hold_for_what_is_drawn(model):
    rules = Rules(min_length=tf.constant([3, 3]), no_repeat=1)
    for string in strings(draw(model, [1, 2], 3.0, count=100, rules=rules), 1):
        assert len(string) >= 3
        assert len(set(string)) == len(string)
