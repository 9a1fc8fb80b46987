"""Decoding as a `Decoding` says: each setting reaches the search."""

import dataclasses

import numpy as np
import pytest

import zoo
from tests.zoo.decoding.language_model import LONGEST, RandomLanguageModel, strings
from zoo.decoding import Rules, beam_search, search

SETTINGS = {
    "length_penalty": 0.9,
    "coverage_penalty": 0.7,
    "diversity": 0.8,
    "min_target_length": 3,
    "no_repeat_ngrams": 1,
    "max_length_ratio": 1.0,
}
DECODING = zoo.Decoding(beam_size=4, length_penalty=0.0, max_target_length=LONGEST)


@pytest.fixture(scope="module")
def model():
    return RandomLanguageModel(3, sources=20)


def found(model, decoding):
    def searched(step, encoded, state, longest):
        return search(decoding, step, encoded, state, model.mask, n_best=3)

    return model.decode(searched)


def test_all_together_are_the_beam_s_own(model):
    got = found(model, dataclasses.replace(DECODING, **SETTINGS))
    expected = model.decode(
        beam_search,
        beam_size=4,
        n_best=3,
        alpha=0.9,
        beta=0.7,
        source_mask=model.mask,
        diversity=0.8,
        rules=Rules(min_length=3, max_length=model.mask.sum(1, dtype="int32"), no_repeat=1),
    )
    for source in range(model.sources):
        assert strings(got, source) == strings(expected, source)
    np.testing.assert_array_equal(got.scores, expected.scores)


@pytest.mark.parametrize("name", SETTINGS)
def test_each_makes_a_difference(model, name):
    plain = found(model, DECODING)
    other = found(model, dataclasses.replace(DECODING, **{name: SETTINGS[name]}))
    assert np.abs(plain.scores - other.scores).max() > 1e-3
