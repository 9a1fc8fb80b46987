"""The arithmetic of attention, with numbers worked out by hand."""

import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from zoo.layers import attend

NAN, INF = np.nan, np.inf


def tensor(values):
    return ops.convert_to_tensor(np.array(values, "float32"))


def array(result):
    return ops.convert_to_numpy(result)


def test_dot_scores():
    # [1, 2].[3, 4] = 11, [1, 2].[0, -1] = -2; [-1, 0].[3, 4] = -3, [-1, 0].[0, -1] = 0
    scores = attend.dot_scores(tensor([[[1, 2], [-1, 0]]]), tensor([[[3, 4], [0, -1]]]))
    assert_array_equal(array(scores), [[[11, -2], [-3, 0]]])


def test_additive_scores():
    # tanh(ln 2) = (2 - 1/2) / (2 + 1/2) = 3/5, tanh(ln 3) = (3 - 1/3) / (3 + 1/3) = 4/5.
    # q + k = [ln 2, ln 3], so v.tanh = 10 * 3/5 - 5 * 4/5 = 2; and q + k = [0, 0] scores 0.
    query = tensor([[[np.log(2), 0]]])
    key = tensor([[[0, np.log(3)], [-np.log(2), 0]]])
    scores = attend.additive_scores(query, key, tensor([10, -5]))
    assert_allclose(array(scores), [[[2, 0]]], atol=1e-6)


# e^(ln n) = n, so scores ln 1, ln 2, ln 5 give 1/8, 2/8, 5/8; without the last, 1/3, 2/3.
@pytest.mark.parametrize(
    ("mask", "weights"),
    [
        (None, [1 / 8, 2 / 8, 5 / 8]),
        ([True, True, True], [1 / 8, 2 / 8, 5 / 8]),
        ([True, True, False], [1 / 3, 2 / 3, 0]),
        ([False, False, True], [0, 0, 1]),
        ([False, False, False], [0, 0, 0]),
    ],
)
def test_masked_softmax(mask, weights):
    scores = tensor([[np.log([1, 2, 5])]])
    mask = None if mask is None else ops.convert_to_tensor([[mask]])
    result = array(attend.masked_softmax(scores, mask))
    assert_allclose(result, [[weights]], rtol=1e-6)
    assert (result[0, 0][np.array(weights) == 0] == 0).all()


@pytest.mark.parametrize("padding", [NAN, INF, -INF, 3e38, -3e38])
def test_a_masked_score_may_be_anything(padding):
    scores, mask = tensor([[[0, padding, 0]]]), ops.convert_to_tensor([[[True, False, True]]])
    assert_array_equal(array(attend.masked_softmax(scores, mask)), [[[0.5, 0, 0.5]]])


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_scores_of_ten_thousand_in_every_precision(dtype):
    # The distance of 2e4 is e^-20000 = 0 in any precision.
    scores = ops.cast(tensor([[[1e4, -1e4, 1e4], [-1e4, -1e4, -1e4]]]), dtype)
    mask = ops.convert_to_tensor([[[True, True, True], [True, True, False]]])
    weights = array(ops.cast(attend.masked_softmax(scores, mask), "float32"))
    assert_array_equal(weights, [[[0.5, 0, 0.5], [0.5, 0.5, 0]]])


def test_weighted_sum():
    # 1/4 * [4, 8] + 3/4 * [0, -4] = [1, -1]
    context = attend.weighted_sum(tensor([[[0.25, 0.75]]]), tensor([[[4, 8], [0, -4]]]))
    assert_array_equal(array(context), [[[1, -1]]])


def test_blank_puts_zeros_where_the_mask_is_false():
    sequence = tensor([[[1, 2], [NAN, INF]]])
    assert attend.blank(sequence) is sequence
    blanked = attend.blank(sequence, ops.convert_to_tensor([[True, False]]))
    assert_array_equal(array(blanked), [[[1, 2], [0, 0]]])


def test_key_mask_takes_numbers_for_truth():
    assert attend.key_mask(None) is None
    assert_array_equal(array(attend.key_mask(ops.convert_to_tensor([[1, 0]]))), [[[True, False]]])


def test_causal_mask_shows_query_i_the_keys_up_to_i():
    assert_array_equal(
        array(attend.causal_mask(2, 3)), [[[True, False, False], [True, True, False]]]
    )


def test_both_is_the_conjunction_of_what_is_given():
    assert attend.both() is None
    assert attend.both(None, None) is None
    row, column = ops.convert_to_tensor([[True, False]]), ops.convert_to_tensor([[True], [False]])
    assert attend.both(None, row) is row
    assert_array_equal(array(attend.both(row, None, column)), [[True, False], [False, False]])


def test_window_mask_shows_what_is_less_than_the_window_away():
    query, key = ops.convert_to_tensor([[1]]), ops.convert_to_tensor([[0, 1, 2, 3]])
    for window, seen in ((1, [0, 1, 0, 0]), (2, [1, 1, 1, 0]), (3, [1, 1, 1, 1])):
        assert_array_equal(array(attend.window_mask(query, key, window))[0, 0], seen)


def test_hypotheses_become_queries_to_their_source_and_back():
    # Two sources of two hypotheses each, two queries a hypothesis, width 1.
    query = tensor([[[1], [2]], [[3], [4]], [[5], [6]], [[7], [8]]])
    memory = tensor(np.zeros((2, 3, 1)))
    grouped = attend.per_source(query, memory)
    assert_array_equal(array(grouped), [[[1], [2], [3], [4]], [[5], [6], [7], [8]]])
    assert_array_equal(array(attend.per_hypothesis(grouped, query)), array(query))


def test_one_hypothesis_a_source_changes_nothing():
    query, memory = tensor([[[1], [2]], [[3], [4]]]), tensor(np.zeros((2, 3, 1)))
    assert_array_equal(array(attend.per_source(query, memory)), array(query))
