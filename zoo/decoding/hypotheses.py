"""What a decoding gives back, and what it keeps on the way."""

from typing import NamedTuple

import tensorflow as tf


class Hypotheses(NamedTuple):
    """The strings found for each source, the best first, or in the order they were drawn.

    Attributes:
        tokens: int32 `(batch, n, length)`; END closes each, PAD follows.
        lengths: int32 `(batch, n)`, END counted; 0 where there are fewer than n strings.
        log_probabilities: float32 `(batch, n)`, `log p(y | x)`, END included.
        scores: float32 `(batch, n)`, what they are ordered by: the log-probability over the length
            penalty, and the coverage penalty.
        alignment: float32 `(batch, n, length, source length)`, the attention under which each
            token was chosen; zeros behind END. Source length 0 where the model has no attention.
    """

    tokens: tf.Tensor
    lengths: tf.Tensor
    log_probabilities: tf.Tensor
    scores: tf.Tensor
    alignment: tf.Tensor


IMPOSSIBLE = -1e30


def rows(state):
    """How many rows nested batch-first tensors have."""
    return tf.shape(tf.nest.flatten(state)[0])[0]


def free_batch(state):
    """Shape invariants for a loop over `state`: the batch is free, and what is empty may grow."""

    def free(tensor):
        return tf.TensorShape([None, *(size or None for size in tensor.shape[1:])])

    return tf.nest.map_structure(free, state)


def write(written, t, tokens):
    """`written (rows, room)` with `tokens (rows,)` in place t."""
    here = tf.range(tf.shape(written)[1]) == t
    return tf.where(here[None], tokens[:, None], written)
