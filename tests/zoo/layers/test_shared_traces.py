"""Transformer blocks that are alike share a trace; those that are not have their own."""

import functools

import keras
import pytest
from numpy.testing import assert_allclose

from zoo.layers import DecoderBlock, transformer_block


@pytest.fixture
def calls(monkeypatch):
    """The names of the decoder blocks that are called, or traced."""
    call, names = DecoderBlock.call, []

    @functools.wraps(call)
    def noted(self, *args, **kwargs):
        names.append(self.name)
        return call(self, *args, **kwargs)

    monkeypatch.setattr(DecoderBlock, "call", noted)
    monkeypatch.setattr(transformer_block, "ANSWERS", {})
    return names


def stacked(*blocks, memory_dim=6, **call):
    x, memory = keras.Input((None, 8)), keras.Input((None, memory_dim))
    y = x
    for block in blocks:
        y, *more = block(y, memory, **call)
    return keras.Model((x, memory), (y, *more))


def test_blocks_alike_are_traced_once(calls, rng, numbers):
    x, memory = (rng.normal(size=size).astype("float32") for size in ((2, 5, 8), (2, 4, 6)))
    blocks = [DecoderBlock(2, 5, positions="shaw", name=f"block_{i}") for i in range(3)]
    model = stacked(*blocks)
    assert set(calls) == {"block_0"}
    y = x
    for block in blocks:
        y, weights, cache = block(y, memory)
    for symbol, answer in zip(model.outputs, (y, weights, *cache), strict=True):
        assert len(symbol.shape) == len(answer.shape)
        assert symbol.dtype == keras.backend.standardize_dtype(answer.dtype)
        assert all(a in (None, b) for a, b in zip(symbol.shape, answer.shape, strict=True))
    assert_allclose(numbers(model((x, memory))[0]), numbers(y), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "call", "memory_dim"),
    [
        ({"positions": "alibi"}, {}, 6),
        ({"dtype": "float16"}, {}, 6),
        ({"num_kv_heads": 1}, {}, 6),
        ({}, {"return_attention_scores": True}, 6),
        ({}, {}, 7),
    ],
)
def test_blocks_that_are_not_alike_are_not(options, call, memory_dim, calls):
    stacked(DecoderBlock(2, 5, name="before"))
    stacked(DecoderBlock(2, 5, name="after", **options), memory_dim=memory_dim, **call)
    assert set(calls) == {"before", "after"}


def test_a_block_refuses_what_one_of_another_memory_took(calls):
    stacked(DecoderBlock(2, 5), memory_dim=8)
    block = DecoderBlock(2, 5)
    stacked(block)
    with pytest.raises(ValueError, match="`memory` has 8 where"):
        stacked(block, memory_dim=8)


@pytest.mark.parametrize(
    "options",
    [
        lambda: {"positions": "learned"},
        lambda: {"activation": keras.layers.PReLU(shared_axes=[1], name="prelu")},
    ],
    ids=["learned", "prelu"],
)
def test_a_trace_that_makes_weights_is_each_block_s_own(options, calls):
    counts = set()
    for _ in range(3):
        block = DecoderBlock(2, 5, name="block", **options())
        stacked(block)
        counts.add(len(stacked(block).weights))
    assert len(counts) == 1


def wide(times):
    class Wide(DecoderBlock):
        def call(self, inputs, memory=None, cache=None, position=None):
            outputs, *more = super().call(inputs, memory, cache=cache, position=position)
            return (keras.ops.repeat(outputs, times, axis=-1), *more)

    return Wide(2, 5)


def test_a_class_of_one_s_own_is_traced_each_time(calls):
    for times in (1, 2):
        assert stacked(wide(times)).outputs[0].shape[-1] == 8 * times
