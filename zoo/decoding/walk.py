"""Decoding one string at a time, each token chosen from the next one's distribution."""

import tensorflow as tf

from zoo.decoding.hypotheses import Hypotheses, free_batch, rows, write
from zoo.decoding.rules import NO_RULES
from zoo.text.vocabulary import END, PAD, START


def greedy(step, encoded, state, max_length, rules=NO_RULES, whole=False):
    """At each step the most probable token, until END.

    Args:
        step: `(tokens (batch,), {**encoded, **state}) -> logits (batch, vocabulary), state,
            attention (batch, source length)`.
        encoded: what `step` needs and does not change, a flat dict of batch-first tensors.
        state: what `step` changes, likewise.
        max_length: int; longest string, END counted. The last place can only hold END.
        rules: what else the strings have to be.
        whole: whether the `Hypotheses` are `max_length` long, a shape that XLA knows beforehand, or
            as long as the longest.

    Returns:
        `Hypotheses`, one for each source.
    """

    def best(gains, t):
        return tf.argmax(gains, axis=-1, output_type=tf.int32)

    return walk(step, encoded, state, max_length, best, rules=rules, whole=whole)


def walk(step, encoded, state, max_length, choose, count=1, rules=NO_RULES, whole=False):
    """`count` strings for each source, token by token, until END.

    Args:
        step, encoded, state, max_length, rules, whole: as in `greedy`. `step` gets `batch * count`
            tokens and rows of state, those of a source side by side; `encoded` stays at one row a
            source.
        choose: `(log-probabilities (rows, vocabulary), t) -> tokens (rows,)`.

    Returns:
        `Hypotheses`, as they came; their score is their log-probability.
    """
    batch = rows(state) * count
    if count > 1:
        state = tf.nest.map_structure(lambda x: tf.repeat(x, count, axis=0), state)
        rules = rules.of_hypotheses(count)
    written = tf.fill([batch, max_length if rules.no_repeat else 0], PAD)

    def unfinished(t, tokens, state, written, done, *_):
        return (t == 0) | (t < max_length) & ~tf.reduce_all(done)

    def body(t, tokens, state, written, done, lengths, total, chosen, attended):
        logits, state, attention = step(tokens, {**encoded, **state})
        gains = tf.nn.log_softmax(tf.cast(logits, tf.float32))
        allowed = rules.allowed(gains, t, t == max_length - 1, written)
        tokens = tf.where(done, PAD, choose(allowed, t))
        attention = tf.where(done[:, None], 0.0, tf.cast(attention, tf.float32))
        total += tf.where(done, 0.0, tf.gather(allowed, tokens, batch_dims=1))
        lengths += tf.cast(tf.logical_not(done), tf.int32)
        written = write(written, t, tokens) if rules.no_repeat else written
        chosen, attended = chosen.write(t, tokens), attended.write(t, attention)
        done |= tokens == END
        return t + 1, tokens, state, written, done, lengths, total, chosen, attended

    first = (
        tf.constant(0),
        tf.fill([batch], START),
        state,
        written,
        tf.zeros([batch], tf.bool),
        tf.zeros([batch], tf.int32),
        tf.zeros([batch]),
        tf.TensorArray(tf.int32, max_length, element_shape=[None]),
        tf.TensorArray(tf.float32, max_length, element_shape=[None, None]),
    )
    line, pages, history = (tf.TensorShape(shape) for shape in ([None], [None, None], None))
    moving = (line, free_batch(state), pages, line, line, line)
    steps, *_, lengths, total, chosen, attended = tf.while_loop(
        unfinished,
        body,
        first,
        shape_invariants=(tf.TensorShape([]), *moving, history, history),
    )
    steps = max_length if whole else steps
    tokens = tf.transpose(_first(chosen, steps))  # (batch * count, length)
    alignment = tf.transpose(_first(attended, steps), [1, 0, 2])
    flat = Hypotheses(tokens, lengths, total, total, alignment)
    return Hypotheses(*(_by_source(tensor, count) for tensor in flat))


def _first(array, count):
    """The first `count` entries of a `TensorArray`, stacked."""
    return array.gather(tf.range(count))


def _by_source(tensor, count):
    """`(batch * count, ...)` -> `(batch, count, ...)`."""
    shape = tf.shape(tensor)
    return tf.reshape(tensor, tf.concat([[shape[0] // count, count], shape[1:]], 0))
