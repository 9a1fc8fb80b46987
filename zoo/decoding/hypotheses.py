"""What a decoding gives back."""

from typing import NamedTuple

import tensorflow as tf

from zoo.text.vocabulary import END, PAD, START


class Hypotheses(NamedTuple):
    """The best strings found for each source, the best first.

    Attributes:
        tokens: int32 `(batch, n, length)`; END closes each, PAD follows.
        lengths: int32 `(batch, n)`, END counted; 0 where there are fewer than n strings.
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


IMPOSSIBLE = -1e30


def gains(logits, last):
    """Log-probability of each next token, `(..., vocabulary)`; IMPOSSIBLE for those forbidden.

    PAD and START are no text, and in the `last` place there can only be END.
    """
    tokens = tf.range(tf.shape(logits)[-1])
    forbidden = (tokens == PAD) | (tokens == START) | (last & (tokens != END))
    return tf.where(forbidden, IMPOSSIBLE, tf.nn.log_softmax(tf.cast(logits, tf.float32)))


def rows(state):
    """How many rows a flat dict of batch-first tensors has."""
    return tf.shape(next(iter(state.values())))[0]


def free_batch(state):
    """Shape invariants for a loop over `state`: the batch may be anything, the rest as it is."""
    return {name: tf.TensorShape([None, *tensor.shape[1:]]) for name, tensor in state.items()}
