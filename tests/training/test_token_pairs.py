import numpy as np

from training.token_pairs import Sequences, TokenPairs
from zoo.text import END, START

# The rows [5, 6, 3] and [7, 3]; and [2, 8, 3] and [2, 9, 10, 3].
SOURCE = Sequences(np.array([5, 6, END, 7, END], np.int32), np.array([0, 3, 5]))
TARGET = Sequences(
    np.array([START, 8, END, START, 9, 10, END], np.int32), np.array([0, 3, 7], np.int64)
)


def test_rows_are_padded_with_0():
    assert SOURCE.padded(np.array([1, 0]), 4).tolist() == [[7, END, 0, 0], [5, 6, END, 0]]


def test_the_row_minus_one_is_padding():
    assert SOURCE.padded(np.array([1, -1]), 3).tolist() == [[7, END, 0], [0, 0, 0]]


def test_a_batch_is_what_fit_takes():
    pairs = TokenPairs(SOURCE, TARGET)
    (source, target_in), target_out = pairs.batch(np.array([0, 1]), 3, 3)
    assert source.tolist() == [[5, 6, END], [7, END, 0]]
    assert target_in.tolist() == [[START, 8, END], [START, 9, 10]]
    assert target_out.tolist() == [[8, END, 0], [9, 10, END]]
    assert {array.dtype for array in (source, target_in, target_out)} == {np.dtype(np.int32)}


def test_lengths_are_those_of_a_batch():
    source, target = TokenPairs(SOURCE, TARGET).lengths
    assert source.tolist() == [3, 2]
    assert target.tolist() == [2, 3]


def test_it_tells_what_was_dropped_and_cut():
    dropped = {"source longer than 64 tokens": 12, "target longer than 64 tokens": 0}
    pairs = TokenPairs(SOURCE, TARGET, dropped, cut=1)
    assert pairs.told("training") == (
        "14 training pairs: 12 dropped (source longer than 64 tokens), 1 cut to --max-*-length."
    )
    assert TokenPairs(SOURCE, TARGET).told("training") == ""
