"""The special ids, how they frame a sequence, and how they leave it again."""

import tensorflow as tf

PAD, UNKNOWN, START, END = 0, 1, 2, 3
SPECIAL_PIECES = ("<pad>", "<unk>", "<s>", "</s>")


def with_end(ids, max_length):
    """Ends every row with END, and cuts it so that no row is longer than `max_length`.

    This is a source: ragged `[batch, (length)]` in and out; `.to_tensor()` pads with PAD.
    """
    end = tf.fill([ids.nrows(), 1], END)
    return tf.concat([ids[:, : max_length - 1], end], axis=1)


def with_start_and_end(ids, max_length):
    """Frames every row with START and END, and cuts it to at most `max_length` in all.

    This is a target: `[:, :-1]` of it is what the decoder reads, `[:, 1:]` what it must say.
    """
    start = tf.fill([ids.nrows(), 1], START)
    return tf.concat([start, with_end(ids, max_length - 1)], axis=1)


def is_text(ids):
    """Which of `[rows, length]` are text: what is before a row's first END, but PAD and START."""
    ended = tf.cumsum(tf.cast(ids == END, tf.int32), axis=1) > 0
    return ~(ended | (ids == PAD) | (ids == START))


def without_specials(ids):
    """Cuts each row of `[rows, length]` at its first END and drops PAD and START: ragged ids."""
    return tf.ragged.boolean_mask(ids, is_text(ids))
