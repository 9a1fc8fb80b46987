"""The largest of many numbers."""

import math

import tensorflow as tf

# From so many numbers on, blocks pay.
MANY = 1024


def largest_sums(offsets, numbers, count):
    """For each b, the `count` largest of `offsets[b, i] + numbers[b * n + i, j]`, over all i and j.

    They are those that `tf.math.top_k` finds, ties included, several times as fast for a few of a
    vocabulary. Among the blocks that each row is cut into, those with the `count` largest maxima
    hold the `count` largest sums; and a maximum is found as fast as memory is read.

    Args:
        offsets: float `(batch, n)`, n known.
        numbers: float `(batch * n, size)`, the size known.
        count: how many to find.

    Returns:
        The sums, the largest first, their i, and their j: `(batch, count)` each.
    """
    n, size = offsets.shape[1], numbers.shape[1]
    width = _width(n * size // count, size)
    blocks = -(-size // width)
    if n * size < MANY or n * blocks <= count:
        sums = tf.reshape(numbers, [-1, n, size]) + offsets[..., None]
        sums, places = tf.math.top_k(tf.reshape(sums, [-1, n * size]), count)
        return sums, places // size, places % size
    if blocks * width > size:
        padding = [[0, 0], [0, blocks * width - size]]
        numbers = tf.pad(numbers, padding, constant_values=-math.inf)
    cut = tf.reshape(numbers, [-1, n * blocks, width])
    maxima = tf.reshape(tf.reduce_max(cut, axis=-1), [-1, n, blocks]) + offsets[..., None]
    _, chosen = tf.math.top_k(tf.reshape(maxima, [-1, n * blocks]), count)
    chosen = -tf.math.top_k(-chosen, count)[0]  # so that of equal sums the first comes first
    rows = chosen // blocks
    sums = tf.gather(cut, chosen, batch_dims=1) + _of_each(offsets, rows)[..., None]
    sums, places = tf.math.top_k(tf.reshape(sums, [-1, count * width]), count)
    block = places // width
    columns = _of_each(chosen % blocks, block) * width + places % width
    return sums, _of_each(rows, block), columns


def _width(balanced, size):
    """Of a block: its maxima and its numbers are looked at alike; and no rest, if possible.

    Args:
        balanced: the width's square, at best.
        size: of the rows that are cut.
    """
    least = max(1, min(math.isqrt(balanced), size))
    without_rest = (w for w in range(least, 2 * least) if size % w == 0)
    return next(without_rest, least)


def _of_each(numbers, places):
    """Of each row of `numbers (batch, n)`, those at `places (batch, m)`."""
    return tf.gather(numbers, places, batch_dims=1)
