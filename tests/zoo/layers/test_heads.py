"""The arithmetic of heads, with numbers worked out by hand, and the backend's kernel against it."""

import itertools

import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from zoo.layers import heads


def tensor(values):
    return ops.convert_to_tensor(np.array(values, "float32"))


def array(result):
    return ops.convert_to_numpy(result)


def test_heads_split_and_merge():
    sequence = tensor([[[1, 2, 3, 4], [5, 6, 7, 8]]])
    split = heads.split_heads(sequence, 2)
    assert_array_equal(array(split), [[[[1, 2], [5, 6]], [[3, 4], [7, 8]]]])
    assert_array_equal(array(heads.merge_heads(split)), array(sequence))


def test_multi_head():
    # Heads of width 1, so no scaling. Head 1: scores 0, 0 -> 1/2, 1/2 over 2, 4 -> 3.
    # Head 2: scores ln 3, 0 -> 3/4, 1/4 over 8, 16 -> 6 + 4 = 10.
    query, key = tensor([[[[0]], [[1]]]]), tensor([[[[5], [7]], [[np.log(3)], [0]]]])
    answer, weights = heads.multi_head(query, key, tensor([[[[2], [4]], [[8], [16]]]]))
    assert_allclose(array(answer), [[[[3]], [[10]]]], rtol=1e-6)
    assert_allclose(array(weights), [[[[0.5, 0.5]], [[0.75, 0.25]]]], rtol=1e-6)


def test_multi_head_scales_by_the_root_of_the_width():
    # Width 4: scores 2 ln 3 / sqrt(4) = ln 3 and 0 -> 3/4, 1/4.
    query, key = tensor([[[[2, 0, 0, 0]]]]), tensor([[[[np.log(3), 0, 0, 0], [0, 9, 9, 9]]]])
    assert_allclose(array(heads.multi_head(query, key, key)[1]), [[[[0.75, 0.25]]]], rtol=1e-6)


def test_heads_of_a_group_share_keys_and_values():
    # Two query heads on one key head: scores 0, 0 and ln 3, 0, over the values 4 and 8.
    query, key = tensor([[[[0]], [[1]]]]), tensor([[[[np.log(3)], [0]]]])
    answer, weights = heads.multi_head(query, key, tensor([[[[4], [8]]]]))
    assert_allclose(array(answer), [[[[6]], [[5]]]], rtol=1e-6)
    assert_allclose(array(weights), [[[[0.5, 0.5]], [[0.75, 0.25]]]], rtol=1e-6)


def test_a_bias_is_added_to_the_scores_and_more_to_the_answer():
    # Scores 0, 0 and a bias of ln 3, 0 -> 3/4, 1/4 over 4, 8 -> 5; and 10 times the first weight.
    key, value = tensor([[[[0], [0]]]]), tensor([[[[4], [8]]]])
    answer, _ = heads.multi_head(
        tensor([[[[1]]]]),
        key,
        value,
        bias=tensor([[[[np.log(3), 0]]]]),
        more=lambda weights: 10 * weights[..., :1],
    )
    assert_allclose(array(answer), [[[[12.5]]]], rtol=1e-6)


def test_multi_head_returns_the_weights_before_dropout():
    query = tensor([[[[1]], [[2]]]])
    answer, weights = heads.multi_head(query, query, query, dropout=lambda w: w * 0)
    assert_array_equal(array(answer), [[[[0]], [[0]]]])
    assert_array_equal(array(weights), [[[[1]], [[1]]]])


@pytest.mark.parametrize("way", [heads.fused, heads.in_blocks])
@pytest.mark.parametrize(("masked", "causal", "biased"), itertools.product([False, True], repeat=3))
def test_other_ways_answer_the_same(monkeypatch, rng, way, masked, causal, biased):
    monkeypatch.setattr(heads, "BLOCK", 2)
    query, key, value = (tensor(rng.normal(size=(2, n, 5, 4))) for n in (4, 2, 2))
    mask = rng.random((2, 1, 5)) < 0.6
    mask[0] = False
    mask = ops.convert_to_tensor(mask) if masked else None
    bias = tensor(rng.normal(size=(1, 4, 5, 5))) if biased else None
    expected, _ = heads.multi_head(query, key, value, mask, bias, causal_from=0 if causal else None)
    got = way(query, key, value, mask, bias, causal=causal)
    assert_allclose(array(got), array(expected), rtol=1e-5, atol=1e-6)


def test_a_query_in_the_middle_of_the_keys_looks_at_those_up_to_its_own():
    # Three keys, two queries from the second key on: 0, 1 and 0, 1, 2 are seen.
    key = tensor([[[[0], [0], [0]]]])
    _, weights = heads.multi_head(key[:, :, :2], key, key, causal_from=1)
    assert_allclose(array(weights)[0, 0], [[1 / 2, 1 / 2, 0], [1 / 3] * 3], rtol=1e-6)
