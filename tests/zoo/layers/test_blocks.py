"""The Transformer's blocks: masks, causality, the cache; the parts around attention."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from zoo.layers import DecoderBlock, EncoderBlock, FeedForward, Residual, SinusoidalPositions

norms = pytest.mark.parametrize("norm_first", [True, False], ids=["pre-norm", "post-norm"])
close = {"rtol": 1e-5, "atol": 1e-6}


@pytest.fixture
def arrays(rng):
    x = rng.normal(size=(2, 5, 8)).astype("float32")
    memory = rng.normal(size=(2, 4, 6)).astype("float32")
    return x, memory, np.arange(4) < np.array([[4], [2]])


@norms
def test_encoder_padding_changes_nothing(norm_first, arrays, numbers):
    x, block = arrays[0], EncoderBlock(2, 5, norm_first=norm_first)
    mask = np.arange(5) < np.array([[5], [3]])
    output, weights = block(x, mask=mask, return_attention_scores=True)
    expected = numbers(output)[mask]
    filled = np.where(mask[..., None], x, np.float32(np.nan))
    masked = keras.layers.Masking(-7.0)(np.where(mask[..., None], x, np.float32(-7)))
    assert_allclose(numbers(block(filled, mask=mask))[mask], expected, **close)
    assert_allclose(numbers(block(masked))[mask], expected, **close)
    assert_allclose(numbers(block(x[1:, :3]))[0], expected[5:], **close)
    assert weights.shape == (2, 2, 5, 5)
    assert (numbers(weights)[1, ..., 3:] == 0).all()


@norms
def test_decoder_with_cache_and_projected_memory_equals_the_whole(norm_first, arrays, numbers):
    (x, memory, mask), block = arrays, DecoderBlock(2, 5, norm_first=norm_first)
    whole, weights, _ = block(x, memory, memory_mask=mask, return_attention_scores=True)
    projected = block.project_memory(*map(keras.ops.convert_to_tensor, (memory, mask)))
    cache = block.self_attention.empty_cache(2, 6)
    for t in range(5):
        output, seen, cache = block(
            x[:, t : t + 1],
            memory_mask=mask,
            cache=cache,
            position=np.full(2, t),
            projected=projected,
            return_attention_scores=True,
        )
        assert_allclose(numbers(output)[:, 0], numbers(whole)[:, t], **close)
        assert_allclose(numbers(seen)[:, :, 0], numbers(weights)[:, :, t], **close)


def test_decoder_hides_later_positions_and_padding(arrays, numbers):
    (x, memory, mask), block = arrays, DecoderBlock(2, 5)
    expected, weights, _ = block(x, memory, memory_mask=mask, return_attention_scores=True)
    changed = np.concatenate([x[:, :3], x[:, 3:] * 100], axis=1)
    filled = np.where(mask[..., None], memory, np.float32(np.nan))
    output = numbers(block(changed, filled, memory_mask=mask)[0])
    assert_allclose(output[:, :3], numbers(expected)[:, :3], **close)
    assert (numbers(weights)[1, ..., 2:] == 0).all()
    masked = keras.layers.Masking(-7.0)(np.where(mask[..., None], memory, np.float32(-7)))
    assert_allclose(numbers(block(x, masked)[0]), numbers(expected), **close)


def test_hypotheses_share_their_sources_memory(arrays, numbers):
    (x, memory, mask), block = arrays, DecoderBlock(2, 5)
    both = np.concatenate([x, -x])[[0, 2, 1, 3]]
    asked = {"return_attention_scores": True}
    tiled = block(both, memory.repeat(2, axis=0), memory_mask=mask.repeat(2, axis=0), **asked)
    projected = block.project_memory(*map(keras.ops.convert_to_tensor, (memory, mask)))
    shared = block(both, memory_mask=mask, projected=projected, **asked)
    for got, expected in zip(*map(keras.tree.flatten, (shared, tiled)), strict=True):
        assert_allclose(numbers(got), numbers(expected), **close)


def pair(*shape):
    return (np.ones(shape, "f4"),) * 2


ONES = np.ones((6, 5, 8), "float32")
STEP = {
    "inputs": ONES[:, :1],
    "cache": pair(6, 2, 7, 4),
    "position": np.zeros(6, "int32"),
}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"inputs": ONES[0]}, r"`inputs` must be \(batch, length, dim\), got shape \(5, 8\)"),
        ({"memory": ONES[:3]}, "`memory` has 3 where the batch of `inputs` is 6"),
        ({"memory": ONES[..., :4]}, "`memory` has 4 where the width is 8"),
        ({"projected": pair(6, 2, 5, 4)}, "`memory` does not go with `projected`"),
        (
            {"memory": None, "projected": (ONES, ONES)},
            r"`projected` must be \(batch, heads, length, width\)",
        ),
        (
            {"memory": None, "projected": pair(4, 2, 7, 4)},
            "`inputs` has 6 rows, no multiple of the 4 of `projected`",
        ),
        ({"memory_mask": ONES[..., 0]}, "`memory_mask` must be boolean, got float32"),
        ({"memory_mask": ONES[:, :3, 0] > 0}, "`memory_mask` has 3 where the length .* is 5"),
        ({**STEP, "inputs": ONES}, "`query` has 5 where its length with `cache` is 1"),
        ({**STEP, "cache": pair(6, 2, 7, 3)}, "`cache` has 3 where the width of a head is 4"),
        ({**STEP, "cache": (ONES, ONES)}, r"`cache` must be \(batch, heads, length, width\), got"),
        ({**STEP, "cache": ONES}, "`cache` must be a pair of keys and values, got "),
        ({**STEP, "cache": pair(3, 2, 7, 4)}, "`cache` has 3 where the batch of `query` is 6"),
        ({**STEP, "cache": None}, "`position` goes with a `cache`"),
        ({**STEP, "position": ONES[:, 0, 0]}, "`position` must be of integers, got float32"),
        ({**STEP, "position": np.zeros((6, 1), "int32")}, r"`position` must be \(batch,\)"),
        ({**STEP, "position": np.zeros(3, "int32")}, "`position` has 3 where the batch .* is 6"),
    ],
)
def test_shapes_that_do_not_fit_a_decoder_are_named(call, message):
    block = DecoderBlock(2, 5)
    block(ONES, ONES)
    with pytest.raises(ValueError, match=message):
        block(**{"inputs": ONES, "memory": ONES, **call})


@pytest.mark.parametrize("make", [EncoderBlock, DecoderBlock])
def test_heads_that_do_not_divide_the_width_are_refused(make, arrays):
    with pytest.raises(ValueError, match="`num_heads` 3 must divide width 8"):
        make(3, 5)(*arrays[: 1 if make is EncoderBlock else 2])


def test_positions_start_where_they_are_told(numbers):
    zeros = np.zeros((2, 6, 8), "float32")
    whole = numbers(SinusoidalPositions()(zeros))
    part = numbers(SinusoidalPositions()(zeros[:, :2], np.array([0, 4])))
    assert_allclose(part, [whole[0, :2], whole[1, 4:]], rtol=1e-5, atol=1e-6)


def test_positions_of_an_odd_width_are_refused():
    with pytest.raises(ValueError, match="width must be even, got 7"):
        SinusoidalPositions()(np.zeros((1, 2, 7), "float32"))


@pytest.mark.parametrize(
    ("layer", "call"),
    [
        (
            FeedForward(64, dropout=0.5, gated=True),
            lambda layer, x, **training: layer(x, **training),
        ),
        (FeedForward(64, dropout=0.5), lambda layer, x, **training: layer(x, **training)),
        (Residual(dropout=0.5), lambda layer, x, **training: layer(x, x, **training)),
    ],
    ids=["feed-forward-gated", "feed-forward", "residual"],
)
def test_dropout_is_for_training(layer, call, arrays, numbers):
    x = arrays[0]
    assert (numbers(call(layer, x, training=True)) != numbers(call(layer, x))).any()
    assert_array_equal(numbers(call(layer, x)), numbers(call(layer, x)))


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({"dropout": 0.3}, (0.3, 0.3, 0.3)),
        ({"dropout": 0.3, "attention_dropout": 0.0}, (0.3, 0.0, 0.3)),
        ({"dropout": 0.3, "attention_dropout": 0.1, "hidden_dropout": 0.2}, (0.3, 0.1, 0.2)),
    ],
)
def test_dropout_has_a_rate_for_each_place(rates, expected):
    """Of branches, of both attentions' weights, and of the feed-forward network's hidden layer."""
    block = DecoderBlock(2, 5, **rates)
    branches = (block.around_self, block.around_cross, block.around_feed_forward)
    assert {each.dropout for each in branches} == {expected[0]}
    assert {block.self_attention.dropout, block.cross_attention.dropout} == {expected[1]}
    assert block.feed_forward.dropout == expected[2]


def test_stochastic_depth_leaves_out_whole_branches(numbers):
    """Huang et al. 2016, eq. 2: all of an example's branch or none, right in the mean."""
    layer, ones = Residual(stochastic_depth=0.25), np.ones((4000, 2, 3), "float32")
    joined = numbers(layer(ones * 0, ones, training=True))
    kept = joined[:, 0, 0] > 0
    assert_allclose(joined, np.where(kept[:, None, None], 4 / 3, 0) * ones, rtol=1e-6)
    assert abs(kept.mean() - 0.75) < 0.03
    assert_array_equal(numbers(layer(ones * 0, ones)), ones)


@norms
def test_a_decoder_of_all_options_decodes_step_by_step(norm_first, arrays, numbers):
    x, memory, mask = arrays
    block = DecoderBlock(
        4,
        5,
        "silu",
        norm_first=norm_first,
        norm="rms",
        stochastic_depth=0.5,
        gated_feed_forward=True,
        num_kv_heads=2,
        qk_norm=True,
        gated_attention=True,
        window=3,
        positions="rotary",
    )
    whole, *_ = block(x, memory, memory_mask=mask)
    cache = block.self_attention.empty_cache(2, 6)
    assert [part.shape for part in cache] == [(2, 2, 6, 2)] * 2
    for t in range(5):
        position = np.full(2, t)
        output, _, cache = block(
            x[:, t : t + 1], memory, memory_mask=mask, cache=cache, position=position
        )
        assert_allclose(numbers(output)[:, 0], numbers(whole)[:, t], **close)


def test_weights_that_nobody_asks_for_have_no_width(arrays):
    x, memory, mask = arrays
    assert DecoderBlock(2, 5)(x, memory, memory_mask=mask)[1].shape == (2, 2, 5, 0)
