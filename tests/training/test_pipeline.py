import collections
import itertools

import numpy as np
import pytest
import tensorflow as tf

from training.pipeline import Batches
from zoo.text import END, START


@pytest.fixture(scope="module")
def batches():
    """100 pairs of lengths 2 to 41; each source begins with its pair's number, plus 10."""
    lengths = [2 + 7 * i % 40 for i in range(100)]
    source = [[10 + i] * (length - 1) + [END] for i, length in enumerate(lengths)]
    target = [[START] + [10 + i] * 3 + [END] for i in range(100)]
    ragged = tf.ragged.constant
    return Batches(ragged(source, dtype=tf.int32), ragged(target, dtype=tf.int32), 8, seed=3)


def epoch(batches, number, skip=0):
    """The batches of one epoch, as NumPy."""
    return list(batches.from_epoch(number, skip).take(len(batches) - skip).as_numpy_iterator())


def test_every_pair_once_an_epoch(batches):
    numbers = [int(row[0]) for (source, _), _ in epoch(batches, 0) for row in source]
    assert collections.Counter(numbers) == collections.Counter(range(10, 110))


def test_source_and_target_stay_together_and_the_target_is_shifted(batches):
    for (source, target_in), target_out in epoch(batches, 0):
        np.testing.assert_array_equal(source[:, 0], target_in[:, 1])
        np.testing.assert_array_equal(target_in[:, 1:], target_out[:, :-1])
        assert (target_in[:, 0] == START).all()
        assert (target_out[:, -1] == END).all()


def test_batches_hold_pairs_of_like_length(batches):
    for (source, _), _ in epoch(batches, 0):
        longest, shortest = source.shape[1], np.count_nonzero(source, axis=1).min()
        assert len(source) <= 8
        assert longest - shortest <= 16


def test_the_order_depends_on_seed_and_epoch_alone(batches):
    first = [source[:, 0].tolist() for (source, _), _ in epoch(batches, 0)]
    assert [source[:, 0].tolist() for (source, _), _ in epoch(batches, 0)] == first
    assert [source[:, 0].tolist() for (source, _), _ in epoch(batches, 1)] != first


def test_skipping_goes_on_where_it_was(batches):
    whole = epoch(batches, 2)
    for ((a, _), _), ((b, _), _) in zip(whole[5:], epoch(batches, 2, skip=5), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_next_epoch_follows(batches):
    count = len(batches)
    running = itertools.islice(batches.from_epoch(0).as_numpy_iterator(), count, 2 * count)
    for ((a, _), _), ((b, _), _) in zip(running, epoch(batches, 1), strict=True):
        np.testing.assert_array_equal(a, b)


def test_in_order_has_every_pair_too(batches):
    rows = sum(len(source) for (source, _), _ in batches.in_order())
    assert rows == 100
    assert len(list(batches.in_order())) == len(batches)
