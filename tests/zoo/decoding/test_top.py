"""The largest of many numbers, found in blocks."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from zoo.decoding.top import top_k


def assert_equal_to_tensorflows(numbers, count):
    for got, expected in zip(
        top_k(tf.constant(numbers), count), tf.math.top_k(numbers, count), strict=True
    ):
        np.testing.assert_array_equal(got, expected)


@given(
    st.integers(0, 4),
    st.sampled_from([5, 1023, 1024, 1031, 8000]),
    st.integers(1, 5),
    st.integers(0, 2**32 - 1),
)
def test_numbers_and_places_are_those_of_tensorflow(rows, size, count, seed):
    numbers = np.random.default_rng(seed).normal(size=(rows, size)).astype("float32")
    assert_equal_to_tensorflows(numbers, count)


@pytest.mark.parametrize("kinds", [1, 2, 30])
def test_of_equal_numbers_the_first_is_found(kinds):
    numbers = np.random.default_rng(0).integers(0, kinds, (50, 2003)).astype("float32")
    assert_equal_to_tensorflows(numbers, 10)


def test_what_is_infinitely_low_is_still_a_number_of_the_row():
    numbers = np.full((2, 2003), -np.inf, "float32")
    numbers[:, :3] = [3, 1, 2]
    assert_equal_to_tensorflows(numbers, 8)
