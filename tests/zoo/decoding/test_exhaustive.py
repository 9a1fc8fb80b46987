"""Beam search against the enumeration of all strings of a small random language model."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding import beam_search, greedy
from zoo.text import END, PAD, START

VOCABULARY, LONGEST, SOURCES = 6, 4, 2
WORDS = [token for token in range(VOCABULARY) if token not in (PAD, START, END)]
PREFIXES = sum(len(WORDS) ** length for length in range(LONGEST))


class RandomLanguageModel:
    """Next-token probabilities that depend on the source and on the whole prefix, from a table."""

    def __init__(self, seed):
        size = (SOURCES, VOCABULARY**LONGEST, VOCABULARY)
        logits = np.random.default_rng(seed).normal(scale=2, size=size)
        self.table = logits - np.log(np.exp(logits).sum(-1, keepdims=True))

    def step(self, tokens, given):
        """The state is the prefix read as a number; its first token, START, is not counted."""
        beams = tf.shape(tokens)[0] // tf.shape(given["source"])[0]
        prefix = tf.where(given["fresh"] == 1, 0, given["prefix"] * VOCABULARY + tokens)
        prefix %= VOCABULARY**LONGEST
        source = tf.repeat(given["source"], beams)
        logits = tf.gather_nd(tf.constant(self.table, tf.float32), tf.stack([source, prefix], 1))
        looked = tf.one_hot(prefix % 3, 3)
        return logits, {"prefix": prefix, "fresh": 0 * tokens}, looked

    def decode(self, search, *args, **kwargs):
        sources = tf.range(SOURCES)
        state = {"prefix": 0 * sources, "fresh": 1 + 0 * sources}
        return search(self.step, {"source": sources}, state, LONGEST, *args, **kwargs)

    def log_probability(self, source, string):
        prefix, total = 0, 0.0
        for token in string:
            total += self.table[source, prefix, token]
            prefix = (prefix * VOCABULARY + token) % VOCABULARY**LONGEST
        return total

    def ranked(self, source, alpha):
        """Every string that ends within the longest length, the best first."""
        strings = [
            (*body, END)
            for length in range(LONGEST)
            for body in itertools.product(WORDS, repeat=length)
        ]
        penalty = {string: ((5 + len(string)) / 6) ** alpha for string in strings}
        scores = {s: self.log_probability(source, s) / penalty[s] for s in strings}
        return sorted(scores.items(), key=lambda item: -item[1])


def strings(hypotheses, source):
    rows = zip(hypotheses.tokens[source].numpy(), hypotheses.lengths[source].numpy(), strict=True)
    return [tuple(int(token) for token in tokens[:length]) for tokens, length in rows]


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("seed", range(10))
def test_full_width_finds_the_best_strings(seed, alpha):
    model = RandomLanguageModel(seed)
    found = model.decode(beam_search, PREFIXES * VOCABULARY, n_best=5, alpha=alpha)
    for source in range(SOURCES):
        best, scores = zip(*model.ranked(source, alpha)[:5], strict=True)
        assert strings(found, source) == list(best)
        np.testing.assert_allclose(found.scores[source], scores, atol=1e-4)


@pytest.mark.parametrize("beam_size", [1, 2, 3, 5])
def test_log_probability_is_that_of_the_returned_string(beam_size):
    for seed in range(5):
        model = RandomLanguageModel(seed)
        found = model.decode(beam_search, beam_size, n_best=beam_size, alpha=1.0)
        for source in range(SOURCES):
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
    for source in range(SOURCES):
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
    found = RandomLanguageModel(3).decode(*search)
    for source in range(SOURCES):
        (string,), prefix = strings(found, source)[:1], 0
        for place, token in enumerate(string):
            np.testing.assert_array_equal(found.alignment[source, 0, place], np.eye(3)[prefix % 3])
            prefix = (prefix * VOCABULARY + token) % VOCABULARY**LONGEST
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
    sources = tf.range(SOURCES)
    state = {"prefix": 0 * sources, "fresh": 1 + 0 * sources}
    found = beam_search(model.step, {"source": sources}, state, 1, 3, n_best=3, alpha=0.6)
    np.testing.assert_array_equal(found.lengths, [[1, 0, 0]] * SOURCES)
    np.testing.assert_array_equal(found.tokens[:, :, 0], [[END, PAD, PAD]] * SOURCES)
    assert (found.scores[:, 1:].numpy() == np.float32(-1e30)).all()
