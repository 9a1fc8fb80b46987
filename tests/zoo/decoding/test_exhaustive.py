"""Beam search against the enumeration of all strings of small random language models."""

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.decoding.language_model import (
    FULL_WIDTH,
    LONGEST,
    VOCABULARY,
    WORDS,
    RandomLanguageModel,
    strings,
)
from zoo.decoding import beam_search, greedy
from zoo.text import END, PAD

PENALTIES = {
    "none": {},
    "length": {"alpha": 0.6},
    "strong length": {"alpha": 2.0},
    "coverage": {"beta": 0.3},
    "both": {"alpha": 0.8, "beta": 0.05},
}


@pytest.mark.parametrize("penalties", PENALTIES.values(), ids=PENALTIES)
def test_full_width_finds_the_best_strings(penalties):
    """The five best, of each of 200 language models."""
    model = RandomLanguageModel(sources=200)
    mask = {"source_mask": model.mask} if "beta" in penalties else {}
    found = model.decode(beam_search, FULL_WIDTH, n_best=5, **penalties, **mask)
    for source in range(model.sources):
        best, scores = zip(*model.ranked(source, **penalties)[:5], strict=True)
        np.testing.assert_allclose(found.scores[source], scores, atol=1e-4)
        assert strings(found, source) == list(best)


def test_the_length_penalty_may_differ_from_source_to_source():
    model, alpha = RandomLanguageModel(), [0.0, 2.0]
    found = model.decode(beam_search, FULL_WIDTH, n_best=5, alpha=alpha)
    for source in range(2):
        expected = [string for string, _ in model.ranked(source, alpha=alpha[source])[:5]]
        assert strings(found, source) == expected


@pytest.mark.parametrize("beam_size", [1, 2, 3, 5])
def test_log_probability_is_that_of_the_returned_string(beam_size):
    for seed in range(5):
        model = RandomLanguageModel(seed)
        found = model.decode(beam_search, beam_size, n_best=beam_size, alpha=1.0)
        for source in range(model.sources):
            for string, total in zip(
                strings(found, source), found.log_probabilities[source].numpy(), strict=True
            ):
                assert string[-1] == END
                np.testing.assert_allclose(total, model.log_probability(source, string), atol=1e-4)


def test_beam_of_one_is_greedy():
    for seed in range(20):
        model = RandomLanguageModel(seed)
        alone, beam = model.decode(greedy), model.decode(beam_search, 1)
        for got, expected in zip(beam, alone, strict=True):
            np.testing.assert_allclose(got, expected, atol=1e-4)


def test_greedy_takes_the_best_token_at_each_step():
    model = RandomLanguageModel(0)
    found = model.decode(greedy)
    for source in range(model.sources):
        prefix, expected = 0, []
        while not expected or expected[-1] != END:
            last = len(expected) == LONGEST - 1
            token = END if last else max([*WORDS, END], key=model.table[source, prefix].__getitem__)
            expected.append(token)
            prefix = (prefix * VOCABULARY + token) % VOCABULARY**LONGEST
        assert strings(found, source) == [tuple(expected)]


@pytest.mark.parametrize("search", [(greedy,), (beam_search, 3)], ids=["greedy", "beam"])
def test_alignment_is_that_of_the_returned_string(search):
    """The model looks at its prefix modulo 3, so each string says what its alignment must be."""
    model = RandomLanguageModel(3)
    found = model.decode(*search)
    for source in range(model.sources):
        (string,) = strings(found, source)[:1]
        for place, prefix in enumerate(model.prefixes(string)):
            np.testing.assert_array_equal(found.alignment[source, 0, place], np.eye(3)[prefix % 3])
        assert not found.alignment[source, 0, len(string) :].numpy().any()


def test_a_finished_hypothesis_is_not_dropped_for_a_worse_longer_one():
    """END at once has probability 0.6; every longer string has less."""
    probabilities = np.full((VOCABULARY,), 0.08)
    probabilities[END] = 0.6

    def step(tokens, given):
        logits = tf.tile(tf.math.log(tf.constant(probabilities, tf.float32))[None], [2, 1])
        return logits, given | {}, tf.zeros([2, 0])

    found = beam_search(
        lambda tokens, given: step(tokens, {"state": given["state"]}),
        {},
        {"state": tf.zeros([1])},
        LONGEST,
        2,
    )
    assert strings(found, 0) == [(END,)]
    np.testing.assert_allclose(found.log_probabilities[0, 0], np.log(0.6), rtol=1e-5)


def test_fewer_strings_than_asked_for_leave_empty_places():
    """In one place there is only END: one string."""
    model = RandomLanguageModel(0)
    found = model.decode(beam_search, 3, n_best=3, alpha=0.6, longest=1)
    np.testing.assert_array_equal(found.lengths, [[1, 0, 0]] * 2)
    np.testing.assert_array_equal(found.tokens[:, :, 0], [[END, PAD, PAD]] * 2)
    assert (found.scores[:, 1:].numpy() == np.float32(-1e30)).all()


def test_diversity_spreads_the_n_best_and_leaves_their_scores_alone():
    """Of 50 sources, how many first tokens the three best strings of each have."""
    model, first = RandomLanguageModel(sources=50), {}
    for diversity in (0.0, 3.0):
        found = model.decode(beam_search, 3, n_best=3, diversity=diversity)
        first[diversity] = 0
        for source in range(model.sources):
            rows = [string for string in strings(found, source) if string]
            assert len(set(rows)) == len(rows)
            first[diversity] += len({string[0] for string in rows})
            expected = [model.log_probability(source, string) for string in rows]
            np.testing.assert_allclose(found.scores[source][: len(rows)], expected, atol=1e-4)
    assert first[3.0] > first[0.0] + 10
