"""Small random language models, all of whose strings can be enumerated."""

import itertools
import math

import numpy as np
import tensorflow as tf

from zoo.decoding.finished import UNSEEN
from zoo.text import END, PAD, START

VOCABULARY, LONGEST = 6, 4
WORDS = [token for token in range(VOCABULARY) if token not in (PAD, START, END)]
STRINGS = [
    (*body, END) for length in range(LONGEST) for body in itertools.product(WORDS, repeat=length)
]
# More than all extensions of all prefixes of one length that may still grow.
FULL_WIDTH = len(STRINGS)


class RandomLanguageModel:
    """Next-token probabilities that depend on the source and on the whole prefix, from a table.

    It looks at source token `prefix % 3`, the prefix read as a number; every other source is only
    two tokens long.
    """

    def __init__(self, seed=0, sources=2):
        size = (sources, VOCABULARY**LONGEST, VOCABULARY)
        logits = np.random.default_rng(seed).normal(scale=2, size=size)
        self.sources = sources
        self.table = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        self.mask = np.array([[True, True, source % 2 == 0] for source in range(sources)])

    def step(self, tokens, given):
        """The state is the prefix; its first token, START, is not counted."""
        beams = tf.shape(tokens)[0] // tf.shape(given["source"])[0]
        prefix = tf.where(given["fresh"] == 1, 0, given["prefix"] * VOCABULARY + tokens)
        prefix %= VOCABULARY**LONGEST
        source = tf.repeat(given["source"], beams)
        logits = tf.gather_nd(tf.constant(self.table, tf.float32), tf.stack([source, prefix], 1))
        return logits, {"prefix": prefix, "fresh": 0 * tokens}, tf.one_hot(prefix % 3, 3)

    def decode(self, search, *args, longest=LONGEST, sources=None, **kwargs):
        sources = tf.range(self.sources) if sources is None else tf.constant(sources)
        state = {"prefix": 0 * sources, "fresh": 1 + 0 * sources}
        return search(self.step, {"source": sources}, state, longest, *args, **kwargs)

    def prefixes(self, string):
        """What had been written before each token, as the step's state has it."""
        prefix = 0
        for token in string:
            yield prefix
            prefix = (prefix * VOCABULARY + token) % VOCABULARY**LONGEST

    def log_probability(self, source, string):
        return sum(
            self.table[source, prefix, token]
            for prefix, token in zip(self.prefixes(string), string, strict=True)
        )

    def score(self, source, string, alpha=0.0, beta=0.0):
        """`log p / lp + cp`, from the definition."""
        looked = np.bincount([prefix % 3 for prefix in self.prefixes(string)], minlength=3)
        seen = [min(max(count, UNSEEN), 1) for count in looked[self.mask[source]]]
        coverage = beta * sum(map(math.log, seen))
        return self.log_probability(source, string) / ((5 + len(string)) / 6) ** alpha + coverage

    def ranked(self, source, allowed=lambda string: True, **penalties):
        """The strings that are allowed and their scores, the best first."""
        scores = {s: self.score(source, s, **penalties) for s in STRINGS if allowed(s)}
        return sorted(scores.items(), key=lambda item: -item[1])


def strings(hypotheses, source):
    rows = zip(hypotheses.tokens[source].numpy(), hypotheses.lengths[source].numpy(), strict=True)
    return [tuple(int(token) for token in tokens[:length]) for tokens, length in rows]
