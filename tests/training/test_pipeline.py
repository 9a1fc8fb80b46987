import collections
import itertools

import numpy as np
import pytest

from training.array_batches import ArrayBatches
from training.pipeline import Batches
from training.recipe import Recipe
from training.token_pairs import Sequences, TokenPairs
from zoo.text import END, START

RECIPE = Recipe(batch_size=8, seed=3)


def sequences(rows):
    offsets = np.cumsum([0, *map(len, rows)])
    return Sequences(np.array(list(itertools.chain(*rows)), np.int32), offsets)


@pytest.fixture(scope="module")
def pairs():
    """100 pairs of lengths 2 to 41; each side begins with its pair's number, plus 10."""
    lengths = [2 + 7 * i % 40 for i in range(100)]
    source = [[10 + i] * (length - 1) + [END] for i, length in enumerate(lengths)]
    target = [[START] + [10 + i] * 3 + [END] for i in range(100)]
    return TokenPairs(sequences(source), sequences(target))


@pytest.fixture(scope="module")
def batches(pairs):
    return Batches.of(pairs, RECIPE)


def epoch(batches, number, skip=0):
    """The batches of one epoch, as NumPy."""
    return list(batches.from_epoch(number, skip).take(len(batches) - skip).as_numpy_iterator())


def flat(batch):
    (source, target_in), target_out = batch
    return [np.asarray(side) for side in (source, target_in, target_out)]


def assert_equal(some, others):
    for one, other in zip(some, others, strict=True):
        for a, b in zip(flat(one), flat(other), strict=True):
            np.testing.assert_array_equal(a, b)


def test_every_pair_once_an_epoch(batches):
    numbers = [int(row[0]) for (source, _), _ in epoch(batches, 0) for row in source if row[0]]
    assert collections.Counter(numbers) == collections.Counter(range(10, 110))


def test_source_and_target_stay_together_and_the_target_is_shifted(batches):
    for (source, target_in), target_out in epoch(batches, 0):
        np.testing.assert_array_equal(source[:, 0], target_in[:, 1])
        np.testing.assert_array_equal(target_in[:, 1:], target_out[:, :-1])
        real = source[:, 0] > 0
        assert (target_in[real, 0] == START).all()
        assert (target_out[real, -1] == END).all()


def test_tensorflow_gets_what_all_backends_get(batches, pairs):
    arrays = ArrayBatches.of(pairs, RECIPE)
    assert_equal(epoch(batches, 1), itertools.islice(arrays.from_epoch(1), len(arrays)))
    assert_equal(batches.in_order(), arrays.in_order())


def test_skipping_goes_on_where_it_was(batches, pairs):
    whole = epoch(batches, 2)
    assert_equal(whole[5:], epoch(batches, 2, skip=5))
    rest = ArrayBatches.of(pairs, RECIPE).from_epoch(2, skip=5)
    assert_equal(whole[5:], itertools.islice(rest, len(whole) - 5))


def test_the_next_epoch_follows(batches):
    count = len(batches)
    running = itertools.islice(batches.from_epoch(0).as_numpy_iterator(), count, 2 * count)
    assert_equal(running, epoch(batches, 1))


def test_in_order_has_every_pair_each_time(batches):
    in_order = batches.in_order()
    for _ in range(2):
        numbers = [int(row[0]) for (source, _), _ in in_order for row in source if row[0]]
        assert sorted(numbers) == list(range(10, 110))
    assert len(in_order) == len(batches)
