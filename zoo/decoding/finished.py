"""The finished hypotheses of a beam search, and how their strings are found again."""

from typing import NamedTuple

import tensorflow as tf

from zoo.decoding.hypotheses import IMPOSSIBLE, Hypotheses
from zoo.text.vocabulary import END, PAD

# A source token that was never looked at counts as looked at so much, whose logarithm is finite.
UNSEEN = 1e-9


class Finished(NamedTuple):
    """The best hypotheses that reached END, best first; `(batch, beams)` each.

    A finished hypothesis is remembered by where it ended: at which step (-1 where there is none),
    and from which beam.
    """

    scores: tf.Tensor
    log_probabilities: tf.Tensor
    steps: tf.Tensor
    beams: tf.Tensor

    @classmethod
    def none(cls, batch, beam_size):
        never = tf.fill([batch, beam_size], IMPOSSIBLE)
        nowhere = tf.fill([batch, beam_size], -1)
        return cls(never, never, nowhere, tf.zeros_like(nowhere))

    def joined_by(self, possible, scores, log_probabilities, step, beams):
        """The best of these and of the `possible` ones of those `(batch, n)` that end at `step`."""
        newly = Finished(
            tf.where(possible, scores, IMPOSSIBLE),
            tf.where(possible, log_probabilities, IMPOSSIBLE),
            tf.where(possible, step, -1),
            beams,
        )
        both = Finished(*(tf.concat(pair, 1) for pair in zip(self, newly, strict=True)))
        _, places = tf.math.top_k(both.scores, self.scores.shape[1])
        return Finished(*(pick(tensor, places) for tensor in both))


class History(NamedTuple):
    """One entry a step: what the live beams chose, from which beam, and what each looked at."""

    tokens: tf.TensorArray  # (batch, beams), in the order after the choice
    parents: tf.TensorArray  # (batch, beams), the beam before the choice
    attention: tf.TensorArray  # (batch * beams, source length), in the order before the choice

    @classmethod
    def empty(cls, length, beam_size):
        return cls(
            tf.TensorArray(tf.int32, length, element_shape=[None, beam_size]),
            tf.TensorArray(tf.int32, length, element_shape=[None, beam_size]),
            tf.TensorArray(tf.float32, length, element_shape=[None, None]),
        )

    def write(self, t, *entries):
        return History(*(array.write(t, entry) for array, entry in zip(self, entries, strict=True)))


def length_penalty(length, alpha):
    """`lp(Y) = ((5 + |Y|) / 6)^alpha` (Wu et al. 2016, eq. 14), END counted in `|Y|`."""
    return tf.pow((5.0 + tf.cast(length, tf.float32)) / 6.0, alpha)


def coverage_penalty(covered, source_mask, beta):
    """`cp(X; Y) = beta sum_i log(min(sum_j p_ij, 1))` (Wu et al. 2016, eq. 14).

    Args:
        covered: `(batch, beams, source length)`, what each source token was looked at in all; below
            `UNSEEN`, that.
        source_mask: boolean `(batch, source length)`.
    """
    logs = tf.math.log(tf.clip_by_value(covered, UNSEEN, 1.0))
    return beta * tf.reduce_sum(tf.where(source_mask[:, None], logs, 0.0), axis=-1)


def pick(tensor, places):
    """Of each row of `tensor (batch, n, ...)`, those at `places (batch, m)`."""
    return tf.gather(tensor, places, axis=1, batch_dims=1)


def trace_back(best, history, steps):
    """`Hypotheses`: follow the parents from where each one ended to its first token."""
    tokens, parents, attention = (array.gather(tf.range(steps)) for array in history)
    by_source = tf.concat([tf.shape(tokens), tf.shape(attention)[2:]], 0)
    attention = tf.reshape(attention, by_source)  # (steps, batch, beams, source length)

    def body(t, beams, strings, alignment):
        within = t < best.steps
        token = tf.where(within, pick(tokens[t], beams), tf.where(t == best.steps, END, PAD))
        beams = tf.where(within, pick(parents[t], beams), best.beams)
        looked = tf.where((t <= best.steps)[..., None], pick(attention[t], beams), 0.0)
        return t - 1, beams, strings.write(t, token), alignment.write(t, looked)

    *_, strings, alignment = tf.while_loop(
        lambda t, *_: t >= 0,
        body,
        (
            steps - 1,
            best.beams,
            tf.TensorArray(tf.int32, steps, element_shape=best.beams.shape),
            tf.TensorArray(tf.float32, steps, element_shape=[None, *best.beams.shape[1:], None]),
        ),
    )
    return Hypotheses(
        tf.transpose(strings.stack(), [1, 2, 0]),
        best.steps + 1,
        best.log_probabilities,
        best.scores,
        tf.transpose(alignment.stack(), [1, 2, 0, 3]),
    )
