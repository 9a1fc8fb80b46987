"""What attentions that do not end in a softmax over all keys have to do with each other."""

from functools import partial

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.zoo.layers.reference import alignments as a
from zoo.layers import (
    BahdanauAttention,
    ChunkwiseAttention,
    LuongAttention,
    MonotonicAttention,
)

close = partial(assert_allclose, rtol=1e-4, atol=1e-5)


def searching(mode="soft", **options):
    return MonotonicAttention(BahdanauAttention(5, normed=True), mode, **options)


@pytest.fixture
def drawn(randomized):
    """A layer with random weights, queries, a memory and its mask; one row has no key."""

    def draw(make, seed):
        rng = np.random.default_rng(seed)
        batch, queries, keys = rng.integers(2, 7, 3)
        x = rng.normal(size=(batch, queries, 6)).astype("float32")
        memory = rng.normal(size=(batch, keys, 6)).astype("float32")
        mask = np.arange(keys) < rng.integers(1, keys + 1, batch)[:, None]
        mask[0] = False
        layer = make()
        layer(x, memory)
        return randomized(layer), x, memory, mask

    return draw


def test_hard_is_soft_where_every_choice_is_clear(drawn, numbers):
    layer, x, memory, mask = drawn(searching, 3)
    layer.attention.gain.assign(1e4)
    _, expected = a.context(partial(a.hard, a.additive), layer, x, memory, mask)
    _, weights = layer(x, memory, value_mask=mask, return_attention_scores=True)
    close(numbers(weights), expected)


def test_a_chunk_of_one_is_the_monotonic_attention(drawn, numbers):
    make = partial(ChunkwiseAttention, LuongAttention(), searching(), 1)
    layer, x, memory, mask = drawn(make, 3)
    answers = [
        attention(x, memory, value_mask=mask, return_attention_scores=True)
        for attention in (layer, layer.monotonic)
    ]
    for got, expected in zip(*answers, strict=True):
        close(numbers(got), numbers(expected))


def test_noise_is_for_training(drawn, numbers):
    layer, x, memory, _ = drawn(searching, 3)
    first, second = (numbers(layer(x, memory, training=True)) for _ in range(2))
    assert (first != second).any()
    assert_array_equal(numbers(layer(x, memory)), numbers(layer(x, memory)))


def test_noise_is_fresh_for_each_query_and_key(drawn, numbers):
    """Raffel et al. 2017, section 2.5: `sigmoid(e_ij + noise)`, whatever walks the queries."""
    layer, x, memory, mask = drawn(partial(searching, seed=1), 3)
    twin = type(layer).from_config(layer.get_config())
    (noise,) = (numbers(part) for part in twin.draw(x, memory))
    assert noise.shape == (*x.shape[:2], memory.shape[1])
    assert len(set(noise.ravel())) == noise.size
    _, weights = layer(x, memory, value_mask=mask, training=True, return_attention_scores=True)
    for b, (keys, seen) in enumerate(zip(a.blank(memory, mask), mask, strict=True)):
        rows = iter(noise[b])
        score = lambda *given, rows=rows: a.additive(*given) + next(rows)  # noqa: E731
        close(numbers(weights)[b], a.monotonic(score, layer, np.float64(x[b]), keys, seen))


@pytest.mark.parametrize("make", [BahdanauAttention, partial(LuongAttention, "concat")])
@pytest.mark.parametrize("chunks", [2, 3, 50])
def test_chunks_change_nothing(make, chunks, drawn, numbers):
    whole, x, memory, mask = drawn(make, 1)
    parts = make(chunks=chunks)
    parts(x, memory)
    parts.set_weights(whole.get_weights())
    close(numbers(parts(x, memory, value_mask=mask)), numbers(whole(x, memory, value_mask=mask)))


def test_more_keys_than_the_location_score_knows_are_refused(rng):
    layer = LuongAttention("location", max_length=4)
    with pytest.raises(ValueError, match="`max_length` 4, got a memory of 5 keys"):
        layer(rng.normal(size=(1, 2, 3)), rng.normal(size=(1, 5, 3)))


def test_in_a_graph_more_keys_than_the_location_score_knows_fail(rng):
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the other backends know every length beforehand")
    layer = LuongAttention("location", max_length=4)
    query = rng.normal(size=(1, 2, 3)).astype("float32")
    layer(query, query)
    memory = tf.TensorSpec((None, None, 3))
    attend = tf.function(lambda memory: layer(query, memory), input_signature=[memory])
    assert attend(np.ones((1, 4, 3), "float32")).shape == (1, 2, 3)
    with pytest.raises(tf.errors.InvalidArgumentError):
        attend(np.ones((1, 5, 3), "float32"))
