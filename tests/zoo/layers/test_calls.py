"""Calls that can't be honoured are refused, by a line that names the argument; the others work."""

import keras
import numpy as np
import pytest
from keras.layers import GRUCell
from numpy.testing import assert_allclose, assert_array_equal

from zoo.layers import (
    BahdanauAttention,
    ChunkwiseAttention,
    CoverageAttention,
    CrossAttention,
    LearnedPositions,
    LuongAttention,
    MonotonicAttention,
    NoisePositions,
    RecurrentDecoder,
    Residual,
    SelfAttention,
    SinusoidalPositions,
    TiedEmbedding,
)

ONES = np.ones((2, 3, 8), "float32")
MASK = np.ones((2, 3), bool)
NARROW = ONES[..., :5]


def refused(layer, built, calls):
    return [pytest.param(layer, built, *call) for call in calls]


@pytest.mark.parametrize(
    ("layer", "built", "call", "message"),
    [
        *refused(
            lambda: SelfAttention(2),
            {"query": ONES},
            [
                ({"query": ONES, "key": ONES}, "`key` goes with a `value`"),
                ({"query": ONES, "value": NARROW}, "`value` has 5 where the width is 8"),
                ({"query": NARROW}, "`query` has 5 where the width is 8"),
                ({"query": ONES, "value": ONES, "mask": MASK[:1]}, "`mask` has 1 where the batch"),
                ({"query": ONES, "mask": MASK.tolist()}, "`mask` must be a tensor .* got list"),
                (
                    {"query": ONES, "value": ONES, "value_mask": MASK.tolist()},
                    "`value_mask` must be a tensor or an array, got list",
                ),
            ],
        ),
        *refused(
            lambda: SelfAttention(2, causal=True),
            {"query": ONES},
            [
                ({name: given}, message)
                for name, given, message in (
                    ("value", ONES, "`value` does not go with a `cache`"),
                    ("mask", MASK[:, :1], "`mask` does not go with a `cache`"),
                    ("value_mask", MASK, "`value_mask` does not go with a `cache`"),
                    ("position", 3, "`position` must be a tensor or an array, got int"),
                )
            ],
        ),
        *refused(
            lambda: RecurrentDecoder(GRUCell(4)),
            {"inputs": ONES},
            [
                ({"inputs": NARROW}, "`inputs` has 5 where the width is 8"),
                ({"inputs": ONES, "memory": ONES}, "`memory` is for a decoder with an attention"),
                ({"inputs": ONES, "memory_mask": MASK}, "`memory_mask` is for a decoder with"),
                ({"inputs": ONES, "inputs_mask": 1 * MASK}, "`inputs_mask` must be boolean, got"),
                ({"inputs": ONES, "inputs_mask": MASK[:1]}, "`inputs_mask` has 1 where the batch"),
                ({"inputs": ONES, "inputs_mask": MASK[:, :1]}, "`inputs_mask` has 1 where the l"),
                ({"inputs": ONES, "inputs_mask": MASK[0]}, r"`inputs_mask` must be \(batch, len"),
                (
                    {"inputs": ONES, "initial_state": ONES[:, 0, :4]},
                    r"`initial_state` must be a list of tensors, got one of \(2, 4\)",
                ),
            ],
        ),
        *refused(
            Residual,
            {"inputs": ONES},
            [
                ({"inputs": ONES, "branch": ONES[..., :1]}, r"`branch` must be .* got \(2, 3, 1\)"),
                ({"inputs": ONES, "branch": ONES[:1]}, r"`branch` must be .* got \(1, 3, 8\)"),
                ({"inputs": ONES, "branch": ONES[0, 0]}, r"`branch` must be .* got \(8,\)"),
            ],
        ),
        *refused(
            LearnedPositions, {"inputs": NARROW[..., :1]}, [({"inputs": ONES}, "has 8 where")]
        ),
        *refused(NoisePositions, {"inputs": NARROW[..., :1]}, [({"inputs": ONES}, "has 8 where")]),
        *(
            pytest.param(
                lambda score=score: LuongAttention(score),
                {"query": ONES, "value": ONES},
                {"query": NARROW, "value": ONES},
                "`query` has 5 where the width is 8",
            )
            for score in ("dot", "scaled", "general")
        ),
        *refused(
            lambda: TiedEmbedding(7, 8),
            {"inputs": 1 * MASK},
            [
                ({"inputs": 1 * MASK, "reverse": True}, "must be of floats in reverse, got int"),
                ({"inputs": NARROW, "reverse": True}, "`inputs` has 5 where the width is 8"),
            ],
        ),
    ],
)
def test_what_can_not_be_honoured_is_refused(layer, built, call, message):
    layer = layer()
    layer(**built)
    if getattr(layer, "causal", False):
        step = {
            "query": ONES[:, :1],
            "cache": layer.empty_cache(2, 3),
            "position": np.zeros(2, int),
        }
        layer(**step)
        call = {**step, **call}
    with pytest.raises(ValueError, match=message):
        layer(**call)


def monotonic():
    return MonotonicAttention(BahdanauAttention(5))


@pytest.mark.parametrize(
    ("make", "with_memory"),
    [
        (LuongAttention, True),
        (CoverageAttention, True),
        (monotonic, True),
        (lambda: ChunkwiseAttention(LuongAttention(), monotonic()), True),
        (lambda: RecurrentDecoder(GRUCell(4), LuongAttention()), True),
        (lambda: RecurrentDecoder(GRUCell(4)), False),
        (SinusoidalPositions, False),
    ],
)
def test_integers_are_taken_for_numbers(make, with_memory, rng, numbers):
    layer = make()
    ints = [rng.integers(-2, 3, (2, 3, 8)).astype("int32") for _ in range(1 + with_memory)]
    expected = numbers(layer(*(x.astype("float32") for x in ints)))
    assert_allclose(numbers(layer(*ints)), expected, rtol=1e-6)


def test_logits_have_the_mask_of_their_vectors(numbers):
    layer, ids = TiedEmbedding(7, 8, mask_zero=True), np.array([[1, 2, 0], [3, 0, 0]])
    for kind in ("int32", "float32"):
        assert_array_equal(numbers(layer.compute_mask(ids.astype(kind))), ids != 0)
    assert layer.compute_mask(ONES) is None
    assert layer.compute_mask(ONES, MASK) is MASK
    inputs = keras.Input((None,), dtype="int32")
    model = keras.Model(inputs, layer(layer(inputs), reverse=True))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(ids, ids, verbose=0)


@pytest.mark.parametrize("make", [LuongAttention, BahdanauAttention, lambda: CrossAttention(2)])
def test_a_batch_of_none(make):
    layer = make()
    layer(ONES, ONES)
    assert tuple(layer(ONES[:0], ONES[:0], value_mask=MASK[:0]).shape) == (0, 3, 8)
