"""Greedy decoding."""

import tensorflow as tf

from zoo.decoding.hypotheses import Hypotheses, free_batch, gains, rows
from zoo.text.vocabulary import END, PAD, START


def greedy(step, encoded, state, max_length):
    """At each step the most probable token, until END.

    Args:
        step: `(tokens (batch,), {**encoded, **state}) -> logits (batch, vocabulary), state,
            attention (batch, source length)`.
        encoded: what `step` needs and does not change, a flat dict of batch-first tensors.
        state: what `step` changes, likewise.
        max_length: int; longest string, END counted. The last place can only hold END.

    Returns:
        `Hypotheses`, one for each source.
    """
    batch = rows(state)

    def unfinished(t, tokens, state, done, *_):
        return (t == 0) | (t < max_length) & ~tf.reduce_all(done)

    def body(t, tokens, state, done, lengths, total, chosen, attended):
        logits, state, attention = step(tokens, {**encoded, **state})
        gain = gains(logits, t == max_length - 1)
        best = tf.argmax(gain, axis=-1, output_type=tf.int32)
        tokens = tf.where(done, PAD, best)
        attention = tf.where(done[:, None], 0.0, tf.cast(attention, tf.float32))
        total += tf.where(done, 0.0, tf.reduce_max(gain, axis=-1))
        lengths += tf.cast(tf.logical_not(done), tf.int32)
        chosen, attended = chosen.write(t, tokens), attended.write(t, attention)
        return t + 1, tokens, state, done | (tokens == END), lengths, total, chosen, attended

    first = (
        tf.constant(0),
        tf.fill([batch], START),
        state,
        tf.zeros([batch], tf.bool),
        tf.zeros([batch], tf.int32),
        tf.zeros([batch]),
        tf.TensorArray(tf.int32, max_length, element_shape=[None]),
        tf.TensorArray(tf.float32, max_length, element_shape=[None, None]),
    )
    line = tf.TensorShape([None])
    history = tf.TensorShape(None)
    shapes = (tf.TensorShape([]), line, free_batch(state), line, line, line, history, history)
    steps, *_, lengths, total, chosen, attended = tf.while_loop(
        unfinished, body, first, shape_invariants=shapes
    )
    return Hypotheses(
        tf.transpose(_first(chosen, steps))[:, None],
        lengths[:, None],
        total[:, None],
        total[:, None],
        tf.transpose(_first(attended, steps), [1, 0, 2])[:, None],
    )


def _first(array, count):
    """The first `count` entries of a `TensorArray`, stacked."""
    return array.gather(tf.range(count))
