"""Layers against those of other libraries that compute the same, with copied weights."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from zoo.layers import (
    AlibiPositions,
    BahdanauAttention,
    DecoderBlock,
    EncoderBlock,
    LuongAttention,
    TiedEmbedding,
)

close = {"rtol": 1e-4, "atol": 1e-5}
DIM, HEADS, HIDDEN = 8, 2, 12


@pytest.fixture
def x(rng):
    return rng.normal(size=(3, 4, DIM)).astype("float32")


@pytest.fixture
def memory(rng):
    return rng.normal(size=(3, 5, DIM)).astype("float32")


MASK = np.arange(5) < np.array([[5], [3], [1]])  # no row without a key: Keras answers another way


@pytest.mark.shows("other library", "luong-dot", "luong-scaled")
@pytest.mark.parametrize(("score", "scale"), [("dot", 1), ("scaled", DIM**-0.5)])
def test_dot_scores_against_keras(score, scale, x, memory, numbers):
    theirs = keras.layers.Attention()
    expected, weights = theirs([scale * x, memory], mask=[None, MASK], return_attention_scores=True)
    got = LuongAttention(score)(x, memory, value_mask=MASK, return_attention_scores=True)
    assert_allclose(numbers(got[0]), numbers(expected), **close)
    assert_allclose(numbers(got[1]), numbers(weights), **close)


@pytest.mark.shows("other library", "bahdanau", "luong-concat")
@pytest.mark.parametrize(
    "make", [BahdanauAttention, lambda: LuongAttention("concat")], ids=["bahdanau", "concat"]
)
def test_additive_scores_against_keras(make, x, memory, randomized, numbers):
    """Keras's has no projections, so it is given the projected ones."""
    layer, theirs = make(), keras.layers.AdditiveAttention()
    layer(x, memory)
    randomized(layer)
    query, key = numbers(layer.query_projection(x)), numbers(layer.project_key(memory))
    theirs.build([query.shape, memory.shape, key.shape])
    theirs.set_weights([layer.v])
    _, weights = theirs([query, key, key], mask=[None, MASK], return_attention_scores=True)
    got = layer(x, memory, value_mask=MASK, return_attention_scores=True)
    assert_allclose(numbers(got[1]), numbers(weights), **close)
    assert_allclose(numbers(got[0]), numbers(weights) @ memory, **close)


@pytest.mark.peer
@pytest.mark.shows("other library", "self-alibi")
def test_alibi_against_keras_hub(x, numbers):
    keras_hub = pytest.importorskip("keras_hub")
    scheme = AlibiPositions()
    scheme.prepare(4, DIM, True)
    places = np.arange(6)[None]
    query = np.zeros((1, 4, 6, DIM), "float32")
    got = np.broadcast_to(numbers(scheme.bias(query, places, places)), (1, 4, 6, 6))
    expected = numbers(keras_hub.layers.AlibiBias()(np.zeros((1, 4, 6, 6), "float32")))
    past = np.tri(6, dtype=bool)  # its bias is the same for every query, up to what softmax takes
    for head in range(4):
        apart = np.where(past, got[0, head] - expected[0, head], np.nan)
        assert_allclose(np.nanmax(apart, -1), np.nanmin(apart, -1), atol=1e-5)


@pytest.mark.peer
@pytest.mark.shows("other library", "embedding")
def test_tied_embedding_against_keras_hub(x, numbers):
    keras_hub = pytest.importorskip("keras_hub")
    theirs, ours, ids = (
        keras_hub.layers.ReversibleEmbedding(9, DIM),
        TiedEmbedding(9, DIM),
        [[1, 8]],
    )
    expected = theirs(np.array(ids))
    ours.build()
    ours.set_weights(theirs.get_weights())
    assert_allclose(numbers(ours(np.array(ids))), numbers(expected), **close)
    assert_allclose(numbers(ours(x, reverse=True)), numbers(theirs(x, reverse=True)), **close)


def copied(dense, linear):
    """PyTorch's linear layer with a Keras `Dense`'s weights."""
    import torch

    with torch.no_grad():
        linear.weight.copy_(torch.tensor(np.array(dense.kernel).T))
        linear.bias.copy_(torch.tensor(np.array(dense.bias)))


def copied_norm(norm, theirs):
    import torch

    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(np.array(norm.gamma)))
        theirs.bias.copy_(torch.tensor(np.array(norm.beta)))


def copied_self_attention(ours, theirs):
    import torch

    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.tensor(np.array(ours.projection.kernel).T))
        theirs.in_proj_bias.copy_(torch.tensor(np.array(ours.projection.bias)))
    copied(ours.output_projection, theirs.out_proj)


def copied_cross_attention(ours, theirs):
    """Ours has no bias on the keys, which softmax takes away."""
    import torch

    parts = (ours.query_projection, ours.key_projection, ours.value_projection)
    biases = [np.array(p.bias) if p.use_bias else np.zeros(DIM, "float32") for p in parts]
    with torch.no_grad():
        kernels = np.concatenate([np.array(p.kernel).T for p in parts])
        theirs.in_proj_weight.copy_(torch.tensor(kernels))
        theirs.in_proj_bias.copy_(torch.tensor(np.concatenate(biases)))
    copied(ours.output_projection, theirs.out_proj)


PARTS = ("encoder", "residual", "residual-post", "feed-forward")


@pytest.mark.peer
@pytest.mark.shows("other library", *PARTS)
@pytest.mark.parametrize("first", [True, False], ids=["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_encoder_block_against_torch(first, activation, memory, randomized, numbers):
    torch = pytest.importorskip("torch")
    ours = EncoderBlock(HEADS, HIDDEN, activation=activation, norm_first=first)
    ours(memory)
    randomized(ours)
    theirs = torch.nn.TransformerEncoderLayer(
        DIM, HEADS, HIDDEN, 0.0, gelu if activation == "gelu" else activation,
        layer_norm_eps=ours.around_attention.norm.epsilon, batch_first=True, norm_first=first,
        device="cpu",
    ).train()  # fmt: skip
    copied_self_attention(ours.attention, theirs.self_attn)
    copied(ours.feed_forward.expand, theirs.linear1)
    copied(ours.feed_forward.contract, theirs.linear2)
    copied_norm(ours.around_attention.norm, theirs.norm1)
    copied_norm(ours.around_feed_forward.norm, theirs.norm2)
    expected = theirs(torch.tensor(memory), src_key_padding_mask=torch.tensor(~MASK))
    within = MASK[..., None]
    got = numbers(ours(memory, mask=MASK)) * within
    assert_allclose(got, expected.detach().numpy() * within, **close)


def gelu(x):
    import torch

    return torch.nn.functional.gelu(x, approximate="none")


@pytest.mark.peer
@pytest.mark.shows("other library", "decoder", "cross")
@pytest.mark.parametrize("first", [True, False], ids=["pre", "post"])
def test_decoder_block_against_torch(first, x, memory, randomized, numbers):
    torch = pytest.importorskip("torch")
    ours = DecoderBlock(HEADS, HIDDEN, norm_first=first)
    ours(x, memory)
    randomized(ours)
    theirs = torch.nn.TransformerDecoderLayer(
        DIM, HEADS, HIDDEN, 0.0, "relu", layer_norm_eps=ours.around_self.norm.epsilon,
        batch_first=True, norm_first=first, device="cpu",
    ).train()  # fmt: skip
    copied_self_attention(ours.self_attention, theirs.self_attn)
    copied_cross_attention(ours.cross_attention, theirs.multihead_attn)
    copied(ours.feed_forward.expand, theirs.linear1)
    copied(ours.feed_forward.contract, theirs.linear2)
    for around, norm in (
        (ours.around_self, theirs.norm1),
        (ours.around_cross, theirs.norm2),
        (ours.around_feed_forward, theirs.norm3),
    ):
        copied_norm(around.norm, norm)
    expected = theirs(
        torch.tensor(x),
        torch.tensor(memory),
        tgt_mask=torch.tensor(~np.tri(4, dtype=bool)),
        memory_key_padding_mask=torch.tensor(~MASK),
    )
    got, *_ = ours(x, memory, memory_mask=MASK)
    assert_allclose(numbers(got), expected.detach().numpy(), **close)
