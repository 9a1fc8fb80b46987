"""Attention and the Transformer's parts against NumPy in float64, from the papers' equations."""

import functools
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from zoo.layers import (
    AttentionPooling,
    BahdanauAttention,
    CrossAttention,
    DecoderBlock,
    EncoderBlock,
    FeedForward,
    LuongAttention,
    Residual,
    SelfAttention,
    SinusoidalPositions,
    TiedEmbedding,
)

HEADS = 2
close = functools.partial(assert_allclose, rtol=1e-4, atol=1e-5)


def affine(dense, x):
    """`x W + b`, with the weights of a Keras `Dense`."""
    return x @ np.float64(dense.kernel) + (np.float64(dense.bias) if dense.use_bias else 0)


def mix(score, values, seen):
    """One query: softmax of its scores over the keys that are seen, and the sum of their values."""
    weights = np.zeros(len(values))
    if seen.any():
        raised = np.exp(score[seen] - score[seen].max())
        weights[seen] = raised / raised.sum()
    return weights @ values, weights


def attention(score, queries, keys, values, seen):
    """Query by query, row by row: the definition, with no batched arithmetic to get wrong."""
    contexts = np.zeros((*queries.shape[:2], values.shape[-1]))
    weights = np.zeros((*queries.shape[:2], keys.shape[1]))
    for b, i in np.ndindex(*queries.shape[:2]):
        scores = np.array([score(queries[b, i], key) for key in keys[b]])
        contexts[b, i], weights[b, i] = mix(scores, values[b], seen[b])
    return contexts, weights


def multi_head(queries, keys, values, output, seen):
    """Vaswani et al. 2017, 3.2.2: `seen` is (batch, queries, keys)."""
    width = queries.shape[-1] // HEADS
    contexts = np.zeros(queries.shape)
    weights = np.zeros((len(queries), HEADS, queries.shape[1], keys.shape[1]))
    for b, head, i in np.ndindex(len(queries), HEADS, queries.shape[1]):
        part = slice(head * width, (head + 1) * width)
        score = keys[b, :, part] @ queries[b, i, part] / np.sqrt(width)
        contexts[b, i, part], weights[b, head, i] = mix(score, values[b, :, part], seen[b, i])
    return affine(output, contexts), weights


def self_attention(layer, x, seen):
    queries, keys, values = np.split(affine(layer.projection, x), 3, axis=-1)
    return multi_head(queries, keys, values, layer.output_projection, seen)


def cross_attention(layer, x, memory, mask):
    queries, keys = affine(layer.query_projection, x), affine(layer.key_projection, memory)
    values, seen = affine(layer.value_projection, memory), every_query(mask, x)
    return multi_head(queries, keys, values, layer.output_projection, seen)


def every_query(mask, x):
    return np.repeat(mask[:, None], x.shape[1], axis=1)


def causal(mask):
    return mask[:, None] & np.tri(mask.shape[1], dtype=bool)


def feed_forward(layer, x):
    """Vaswani et al. 2017, eq. 2."""
    return affine(layer.contract, np.maximum(affine(layer.expand, x), 0))


def norm(layer, x):
    centred = x - x.mean(-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(-1, keepdims=True) + layer.epsilon)
    return np.float64(layer.gamma) * centred / spread + np.float64(layer.beta)


def residual(layer, x, branch):
    if layer.norm_first:
        return x + branch(norm(layer.norm, x))
    return norm(layer.norm, x + branch(x))


@pytest.fixture(params=range(3))
def drawn(request, randomized):
    """Random shapes, inputs, masks (one row fully masked), and a way to build a layer on them."""
    rng = np.random.default_rng(request.param)
    batch, queries, keys = rng.integers(2, 6, 3)
    x = rng.normal(size=(batch, queries, 6)).astype("float32")
    memory = rng.normal(size=(batch, keys, rng.integers(2, 8))).astype("float32")
    mask = rng.random((batch, keys)) < 0.7
    mask[0] = False

    def build(layer, *tensors, **options):
        layer(*tensors, **options)
        return randomized(layer)

    return x, memory, mask, build


@pytest.fixture
def agree(numbers):
    """Check a layer's output and weights against the reference's."""

    def check(answer, expected):
        for got, wanted in zip(answer, expected, strict=True):
            close(numbers(got), wanted)

    return check


@pytest.mark.parametrize("kind", ["dot", "general", "concat", "bahdanau"])
def test_luong_and_bahdanau(drawn, agree, kind):
    x, memory, mask, build = drawn
    memory = np.repeat(memory[..., :1], 6, axis=-1) * x[:1, :1] if kind == "dot" else memory
    layer = BahdanauAttention(5) if kind == "bahdanau" else LuongAttention(kind)
    build(layer, x, memory)

    def additive(q, k):
        """Concat and Bahdanau are one formula, since `W [q; k] = W_q q + W_k k`."""
        hidden = affine(layer.query_projection, q) + affine(layer.key_projection, k)
        return np.float64(layer.v) @ np.tanh(hidden)

    scores = {"dot": np.dot, "general": lambda q, k: q @ affine(layer.key_projection, k)}
    answer = layer(x, memory, value_mask=mask, return_attention_scores=True)
    agree(answer, attention(scores.get(kind, additive), x, memory, memory, mask))


@pytest.mark.parametrize("is_causal", [False, True])
def test_self_attention(drawn, agree, is_causal):
    x, _, _, build = drawn
    mask = np.random.default_rng(0).random(x.shape[:2]) < 0.7
    layer = build(SelfAttention(HEADS, causal=is_causal), x)
    answer = layer(x, value_mask=mask, return_attention_scores=True)
    # A masked position is no key; as a query it is of no interest, and blank.
    seen = causal(mask) if is_causal else every_query(mask, x)
    agree(answer, self_attention(layer, x * mask[..., None], seen))


def test_cross_attention(drawn, agree):
    x, memory, mask, build = drawn
    layer = build(CrossAttention(HEADS), x, memory)
    answer = layer(x, memory, value_mask=mask, return_attention_scores=True)
    agree(answer, cross_attention(layer, x, memory, mask))


def test_sinusoidal_positions(numbers):
    start = np.array([0, 7])
    waves = np.zeros((2, 5, 6))
    for row, p, i in np.ndindex(2, 5, 3):
        angle = (start[row] + p) / 10000 ** (2 * i / 6)
        waves[row, p, 2 * i : 2 * i + 2] = np.sin(angle), np.cos(angle)
    close(numbers(SinusoidalPositions()(np.ones((2, 5, 6), "float32"), start)), 1 + waves)
    close(numbers(SinusoidalPositions()(np.zeros((2, 5, 6), "float32"))[1]), waves[0])


def test_feed_forward(drawn, numbers):
    x, _, _, build = drawn
    layer = build(FeedForward(9), x)
    close(numbers(layer(x)), feed_forward(layer, x))


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu"])
def test_gated_feed_forward(drawn, numbers, activation):
    """Shazeer 2020, eq. 5 and 6, with `silu(x) = x / (1 + e^-x)` and the exact GELU."""
    x, _, _, build = drawn
    layer = build(FeedForward(9, activation, gated=True), x)
    w, v = np.split(np.float64(layer.expand.kernel), 2, axis=-1)
    functions = {
        "relu": lambda h: np.maximum(h, 0),
        "gelu": lambda h: h * (1 + np.vectorize(math.erf)(h / 2**0.5)) / 2,
        "silu": lambda h: h / (1 + np.exp(-h)),
    }
    expected = functions[activation](x @ w) * (x @ v) @ np.float64(layer.contract.kernel)
    close(numbers(layer(x)), expected, rtol=1e-3)
    assert len(layer.weights) == 2


def test_rms_norm(drawn, numbers):
    """Zhang and Sennrich 2019, eq. 4."""
    x, _, _, build = drawn
    layer = build(Residual(norm="rms"), x, x)
    root = np.sqrt((np.float64(x) ** 2).mean(-1, keepdims=True) + layer.norm.epsilon)
    close(numbers(layer.enter(x)), np.float64(layer.norm.scale) * x / root)


@pytest.mark.parametrize("hops", [1, 3])
def test_attention_pooling(drawn, agree, hops):
    """Yang et al. 2016, eq. 5 to 7; Lin et al. 2017, eq. 6 and 7, for more hops than one."""
    _, memory, mask, build = drawn
    layer = build(AttentionPooling(4, hops), memory)
    hidden = np.tanh(affine(layer.projection, memory))
    queries = np.float64(layer.queries).T
    scores = np.einsum("hu,bku->bhk", queries, hidden)
    pooled = [
        [mix(scores[b, h], memory[b], mask[b]) for h in range(hops)] for b in range(len(memory))
    ]
    sums = [np.concatenate([each[0] for each in row]) for row in pooled]
    weights = [[each[1] for each in row] for row in pooled]
    agree(layer(memory, mask=mask, return_attention_scores=True), (sums, weights))


def test_tied_embedding(numbers):
    layer = TiedEmbedding(5, 3)
    table = numbers(layer(np.arange(5)))
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    close(numbers(layer(x, reverse=True)), x @ table.T)
    assert len(layer.weights) == 1


@pytest.mark.parametrize("norm_first", [True, False])
def test_residual_and_blocks(drawn, numbers, norm_first):
    x, memory, mask, build = drawn
    around = build(Residual(norm_first=norm_first), x, x)
    close(numbers(around.leave(x, np.sin(numbers(around.enter(x))))), residual(around, x, np.sin))

    tokens = np.ones(x.shape[:2], bool)
    tokens[0, 1:] = False
    layer = build(EncoderBlock(HEADS, 9, norm_first=norm_first), x)
    seen = every_query(tokens, x)
    y = residual(layer.around_attention, x, lambda h: self_attention(layer.attention, h, seen)[0])
    y = residual(layer.around_feed_forward, y, lambda h: feed_forward(layer.feed_forward, h))
    close(numbers(layer(x, mask=tokens))[tokens], y[tokens])

    layer = build(DecoderBlock(HEADS, 9, norm_first=norm_first), x, memory)
    seen = causal(np.ones(x.shape[:2], bool))
    y = residual(layer.around_self, x, lambda h: self_attention(layer.self_attention, h, seen)[0])
    attend = functools.partial(cross_attention, layer.cross_attention, memory=memory, mask=mask)
    y = residual(layer.around_cross, y, lambda h: attend(h)[0])
    y = residual(layer.around_feed_forward, y, lambda h: feed_forward(layer.feed_forward, h))
    close(numbers(layer(x, memory, memory_mask=mask)[0]), y)
