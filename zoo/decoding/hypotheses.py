"""What a decoding gives back."""

from typing import NamedTuple

import tensorflow as tf


class Hypotheses(NamedTuple):
    """The best strings found for each source, the best first.

    Attributes:
        tokens: int32 `(batch, n, length)`; END closes each, PAD follows.
        lengths: int32 `(batch, n)`, END counted.
        log_probabilities: float32 `(batch, n)`, `log p(y | x)`, END included.
        scores: float32 `(batch, n)`, what they are ordered by: the log-probability over the length
            penalty.
        alignment: float32 `(batch, n, length, source length)`, the attention under which each
            token was chosen; zeros behind END. Source length 0 where the model has no attention.
    """

    tokens: tf.Tensor
    lengths: tf.Tensor
    log_probabilities: tf.Tensor
    scores: tf.Tensor
    alignment: tf.Tensor


def rows(state):
    """How many rows a flat dict of batch-first tensors has."""
    return tf.shape(next(iter(state.values())))[0]


def free_batch(state):
    """Shape invariants for a loop over `state`: the batch may be anything, the rest as it is."""
    return {name: tf.TensorShape([None, *tensor.shape[1:]]) for name, tensor in state.items()}
