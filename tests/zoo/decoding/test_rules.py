"""Rules on strings: full-width beam search finds the best of those that keep them."""

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.decoding.language_model import (
    FULL_WIDTH,
    WORDS,
    RandomLanguageModel,
    strings,
)
from zoo.decoding import Rules, beam_search, greedy
from zoo.text import END, PAD

A, B, C = WORDS
SOURCES = 40


def per_source(*values):
    """Those values in turn, one a source."""
    return tf.constant([values[source % len(values)] for source in range(SOURCES)])


def repeats(string, n):
    grams = [string[i : i + n] for i in range(len(string) - n + 1)]
    return len(set(grams)) < len(grams)


# Each with what it allows: a function of the source and the string.
RULES = {
    "least length": (
        Rules(min_length=per_source(1, 2, 4)),
        lambda source, string: len(string) >= (1, 2, 4)[source % 3],
    ),
    "one least length": (Rules(min_length=3), lambda source, string: len(string) >= 3),
    "one least length, no word twice": (
        Rules(min_length=3, no_repeat=1),
        lambda source, string: len(string) >= 3 and not repeats(string, 1),
    ),
    "longest length": (
        Rules(max_length=per_source(1, 3, 9)),
        lambda source, string: len(string) <= (1, 3, 9)[source % 3],
    ),
    "prefix": (
        Rules(prefix=per_source((A, C), (B, PAD), (PAD, PAD))),
        lambda source, string: string[: 2 - source % 3] == ((A, C), (B,), ())[source % 3],
    ),
    "no word twice": (Rules(no_repeat=1), lambda source, string: not repeats(string, 1)),
    "no pair twice": (Rules(no_repeat=2), lambda source, string: not repeats(string, 2)),
    "no triple twice": (Rules(no_repeat=3), lambda source, string: not repeats(string, 3)),
    "several": (
        Rules(per_source(3, 1), per_source(3, 4), per_source((B,), (PAD,)), no_repeat=1),
        lambda source, string: (
            not repeats(string, 1) and (source % 2 == 1 or (len(string) == 3 and string[0] == B))
        ),
    ),
}
cases = pytest.mark.parametrize(("rules", "allowed"), RULES.values(), ids=RULES)


@cases
def test_beam_search_finds_the_best_strings_that_keep_the_rules(rules, allowed):
    model = RandomLanguageModel(sources=SOURCES)
    found = model.decode(beam_search, FULL_WIDTH, n_best=3, alpha=0.6, rules=rules)
    for source in range(SOURCES):
        ranked = model.ranked(source, lambda string: allowed(source, string), alpha=0.6)[:3]  # noqa: B023
        got = [string for string in strings(found, source) if string]
        assert got == [string for string, _ in ranked]
        np.testing.assert_allclose(
            found.scores[source][: len(ranked)], [score for _, score in ranked], atol=1e-4
        )


@cases
def test_greedy_keeps_the_rules(rules, allowed):
    model = RandomLanguageModel(sources=SOURCES)
    found, beam = (model.decode(greedy, rules=rules), model.decode(beam_search, 1, rules=rules))
    for source in range(SOURCES):
        (string,) = strings(found, source)
        assert allowed(source, string)
        assert strings(beam, source) == [string]


def test_where_rules_contradict_each_other_the_longest_length_wins_then_the_prefix():
    model = RandomLanguageModel()
    rules = Rules(tf.constant([4, 4]), tf.constant([2, 4]), tf.constant([[A, A, A]] * 2), 1)
    found = model.decode(greedy, rules=rules)
    assert strings(found, 0) == [(A, END)]
    assert strings(found, 1) == [(A, A, A, END)]


def test_a_string_that_has_no_word_left_ends_however_short():
    model = RandomLanguageModel()
    found = model.decode(greedy, longest=9, rules=Rules(tf.constant([8, 8]), no_repeat=1))
    for source in range(2):
        (string,) = strings(found, source)
        assert sorted(string) == sorted([A, B, C, END])
