"""Decoding as a `Decoding` says."""

import tensorflow as tf

from zoo.decoding.beam import beam_search
from zoo.decoding.rules import Rules
from zoo.decoding.sampling import sample
from zoo.decoding.walk import greedy

# Of a length that is a ratio's, such as 0.55 of 100, which is a little more than 55.
ROUNDING = 1e-6


def search(
    decoding, step, encoded, state, source_mask, n_best=1, length_penalty=None, whole=False, **asked
):
    """`Hypotheses`, `n_best` for each source.

    Args:
        step, encoded, state, whole: as in `greedy`.
        source_mask: boolean `(batch, source length)`.
        length_penalty: float `(batch,)`, in place of the one here.
        **asked: of `rules`.
    """
    rules, length = rules_of(decoding, source_mask, **asked), decoding.max_target_length
    if decoding.beam_size == 1:
        return greedy(step, encoded, state, length, rules, whole)
    return beam_search(
        step,
        encoded,
        state,
        length,
        decoding.beam_size,
        n_best,
        decoding.length_penalty if length_penalty is None else length_penalty,
        decoding.coverage_penalty,
        source_mask,
        decoding.diversity,
        rules,
        whole,
    )


def sampled(decoding, step, encoded, state, source_mask, **chance):
    """`Hypotheses`, drawn with `chance`: `seed`, `temperature`, `top_k` and `top_p`."""
    rules = rules_of(decoding, source_mask)
    return sample(step, encoded, state, decoding.max_target_length, **chance, rules=rules)


def rules_of(decoding, source_mask, prefix=None, min_length=None, max_length=None):
    """The `Rules` for sources of those lengths.

    Args:
        source_mask: boolean `(batch, source length)`.
        prefix: int `(batch, length)`.
        min_length, max_length: int `(batch,)`, 0 for what is set here.
    """
    lengths = tf.reduce_sum(tf.cast(source_mask, tf.float64), axis=1)
    least = longest = None
    if decoding.min_length_ratio:
        least = tf.math.ceil(lengths * decoding.min_length_ratio - ROUNDING)
        least = tf.maximum(decoding.min_target_length, tf.cast(least, tf.int32))
    elif decoding.min_target_length > 1:
        least = decoding.min_target_length
    if decoding.max_length_ratio:
        longest = tf.math.floor(lengths * decoding.max_length_ratio + ROUNDING)
        longest = tf.maximum(1, tf.cast(longest, tf.int32))
    return Rules(
        _unless_zero(min_length, least, 1),
        _unless_zero(max_length, longest, decoding.max_target_length),
        prefix,
        decoding.no_repeat_ngrams,
    )


def _unless_zero(asked, otherwise, nothing):
    """`asked (batch,)` where it is not 0, and otherwise the rule that is set, or none."""
    if asked is None:
        return otherwise
    return tf.where(asked > 0, asked, nothing if otherwise is None else otherwise)
