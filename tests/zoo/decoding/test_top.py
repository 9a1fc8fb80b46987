"""The largest of many sums, found in blocks."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from zoo.decoding.top import largest_sums


def assert_equal_to_tensorflows(offsets, numbers, count):
    n, size = offsets.shape[1], numbers.shape[1]
    sums = (numbers.reshape(-1, n, size) + offsets[..., None]).reshape(-1, n * size)
    expected, places = tf.math.top_k(sums, count)
    found, rows, columns = largest_sums(tf.constant(offsets), tf.constant(numbers), count)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(rows * size + columns, places)


@given(
    st.integers(0, 4),
    st.integers(1, 5),
    st.sampled_from([5, 230, 1023, 1024, 1031, 8000]),
    st.integers(1, 5),
    st.integers(0, 2**32 - 1),
)
def test_sums_and_places_are_those_of_tensorflow(batch, n, size, count, seed):
    random = np.random.default_rng(seed)
    offsets = random.normal(size=(batch, n)).astype("float32")
    numbers = random.normal(size=(batch * n, size)).astype("float32")
    assert_equal_to_tensorflows(offsets, numbers, count)


@pytest.mark.parametrize("kinds", [1, 2, 30])
@pytest.mark.parametrize("n", [1, 4])
def test_of_equal_sums_the_first_is_found(kinds, n):
    random = np.random.default_rng(0)
    numbers = random.integers(0, kinds, (40, 2003)).astype("float32")
    offsets = random.integers(0, 3, (40 // n, n)).astype("float32")
    assert_equal_to_tensorflows(offsets, numbers, 10)


def test_sums_that_a_huge_offset_makes_equal_too():
    numbers = np.random.default_rng(0).normal(size=(4, 2003)).astype("float32")
    assert_equal_to_tensorflows(np.float32([[0, -1e30], [-1e30, -1e30]]), numbers, 10)


def test_what_is_infinitely_low_is_still_a_number_of_the_row():
    numbers = np.full((2, 2003), -np.inf, "float32")
    numbers[:, :3] = [3, 1, 2]
    assert_equal_to_tensorflows(np.zeros((2, 1), "float32"), numbers, 8)
