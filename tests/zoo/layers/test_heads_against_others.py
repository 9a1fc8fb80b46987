"""Grouped heads, windows, gates and masks against NumPy, Keras's layers and PyTorch's."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from zoo.layers import CrossAttention, SelfAttention

BATCH, LENGTH, DIM, HEADS, WIDTH = 2, 6, 8, 4, 2
close = {"rtol": 1e-4, "atol": 1e-5}
kv = pytest.mark.parametrize("kv_heads", [1, 2, 4])


@pytest.fixture
def x(rng):
    return rng.normal(size=(BATCH, LENGTH, DIM)).astype("float32")


@pytest.fixture
def memory(rng):
    return rng.normal(size=(BATCH, 5, 3)).astype("float32")


@pytest.fixture
def seen(rng):
    """Any mask, with a query that may look nowhere."""
    seen = rng.random((BATCH, LENGTH, LENGTH)) < 0.6
    seen[0, 2] = False
    return seen


@pytest.fixture
def build(randomized):
    def make(layer, *tensors):
        layer(*tensors)
        return randomized(layer)

    return make


def affine(dense, x):
    return x @ np.float64(dense.kernel) + (np.float64(dense.bias) if dense.use_bias else 0)


def rms(norm, x):
    """Zhang and Sennrich 2019, eq. 4."""
    mean = (x**2).mean(-1, keepdims=True)
    return np.float64(norm.scale) * x / np.sqrt(mean + norm.epsilon)


def reference(layer, x, q, k, v, seen):
    """Head by head, from the definitions; `q, k, v` are projected."""
    q, k, v = (part.reshape(*part.shape[:2], -1, WIDTH) for part in (q, k, v))
    if layer.qk_norm:
        q, k = rms(layer.query_norm, q), rms(layer.key_norm, k)
    answer, share = np.zeros(q.shape), HEADS // layer.num_kv_heads
    for b, i, h in np.ndindex(q.shape[:3]):
        keys, values = k[b, seen[b, i], h // share], v[b, seen[b, i], h // share]
        if len(keys):
            scores = np.exp(keys @ q[b, i, h] / np.sqrt(WIDTH))
            answer[b, i, h] = scores @ values / scores.sum()
    answer = answer.reshape(x.shape)
    if layer.gated:
        answer = answer / (1 + np.exp(-affine(layer.gate, x)))
    return affine(layer.output_projection, answer)


@kv
@pytest.mark.parametrize("qk_norm", [False, True])
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize(("causal", "window"), [(False, None), (True, None), (False, 2), (True, 3)])
def test_self_attention(x, seen, build, numbers, kv_heads, qk_norm, gated, causal, window):
    options = {"num_kv_heads": kv_heads, "qk_norm": qk_norm, "gated": gated}
    layer = build(SelfAttention(HEADS, causal, window=window, **options), x)
    q, k, v = np.split(affine(layer.projection, x), [DIM, DIM + layer.kv_dim], axis=-1)
    apart = np.arange(LENGTH)[None] - np.arange(LENGTH)[:, None]
    allowed = seen & (apart <= 0 if causal else True) & (abs(apart) < (window or LENGTH))
    expected = reference(layer, x, q, k, v, allowed)
    assert_allclose(numbers(layer(x, attention_mask=seen)), expected, **close)
    asked, weights = layer(x, attention_mask=seen, return_attention_scores=True)
    assert_allclose(numbers(asked), expected, **close)
    assert (numbers(weights).swapaxes(0, 1)[:, ~allowed] == 0).all()


@kv
@pytest.mark.parametrize("extras", [False, True], ids=["plain", "normed-gated"])
def test_cross_attention(x, memory, seen, build, numbers, kv_heads, extras):
    layer = CrossAttention(HEADS, num_kv_heads=kv_heads, qk_norm=extras, gated=extras)
    build(layer, x, memory)
    q, k, v = (
        affine(projection, given)
        for projection, given in (
            (layer.query_projection, x),
            (layer.key_projection, memory),
            (layer.value_projection, memory),
        )
    )
    seen = seen[..., :5]
    expected = reference(layer, x, q, k, v, seen)
    assert_allclose(numbers(layer(x, memory, attention_mask=seen)), expected, **close)


def test_hypotheses_bring_their_own_attention_masks(x, memory, seen, build, numbers):
    layer, seen = build(CrossAttention(HEADS), x, memory), seen[..., :5]
    projected = layer.project_memory(keras.ops.convert_to_tensor(memory))
    both, masks = np.concatenate([x, -x])[[0, 2, 1, 3]], seen.repeat(2, axis=0)
    got = layer.attend(both, projected, attention_mask=keras.ops.convert_to_tensor(masks))
    tiled = layer(both, memory.repeat(2, axis=0), attention_mask=masks)
    assert_allclose(numbers(got), numbers(tiled), **close)


@kv
@pytest.mark.parametrize(("causal", "window"), [(False, None), (True, None), (False, 2), (True, 3)])
@pytest.mark.parametrize("gated", [False, True])
def test_against_keras_grouped_query_attention(
    x, seen, build, numbers, kv_heads, causal, window, gated
):
    layer = SelfAttention(HEADS, causal, num_kv_heads=kv_heads, window=window, gated=gated)
    build(layer, x)
    seen[:, range(LENGTH), range(LENGTH)] = True  # where no key is seen, Keras answers another way
    theirs = keras.layers.GroupQueryAttention(
        WIDTH, HEADS, kv_heads, sliding_window=window, use_gate=gated
    )
    theirs.build(x.shape, x.shape)
    split = [DIM, DIM + layer.kv_dim]
    kernels = np.split(np.array(layer.projection.kernel), split, axis=-1)
    biases = np.split(np.array(layer.projection.bias), split)
    pairs = list(zip(kernels, biases, strict=True))
    if gated:
        pairs.insert(2, (np.array(layer.gate.kernel), np.array(layer.gate.bias)))
    weights = [part.reshape(*part.shape[:-1], -1, WIDTH) for pair in pairs for part in pair]
    output = np.array(layer.output_projection.kernel).reshape(HEADS, WIDTH, DIM)
    theirs.set_weights([*weights, output, np.array(layer.output_projection.bias)])
    expected = theirs(x, x, attention_mask=seen, use_causal_mask=causal)
    assert_allclose(numbers(layer(x, attention_mask=seen)), numbers(expected), **close)


def test_against_keras_multi_head_attention_across(x, memory, seen, build, numbers):
    layer, seen = build(CrossAttention(HEADS), x, memory), seen[..., :5]
    seen[..., 0] = True
    theirs = keras.layers.MultiHeadAttention(HEADS, WIDTH)
    theirs.build(x.shape, memory.shape)
    q, k, v = layer.query_projection, layer.key_projection, layer.value_projection
    biases = [np.array(q.bias), np.zeros(DIM), np.array(v.bias)]
    kernels = [np.array(dense.kernel) for dense in (q, k, v)]
    weights = [
        part
        for kernel, bias in zip(kernels, biases, strict=True)
        for part in (kernel.reshape(-1, HEADS, WIDTH), bias.reshape(HEADS, WIDTH))
    ]
    output = layer.output_projection
    weights += [np.array(output.kernel).reshape(HEADS, WIDTH, DIM), np.array(output.bias)]
    theirs.set_weights(weights)
    expected = theirs(x, memory, attention_mask=seen)
    assert_allclose(numbers(layer(x, memory, attention_mask=seen)), numbers(expected), **close)


@pytest.mark.parametrize("causal", [False, True])
def test_against_torch_multi_head_attention(x, build, numbers, causal):
    torch = pytest.importorskip("torch")
    layer = build(SelfAttention(HEADS, causal), x)
    theirs = torch.nn.MultiheadAttention(DIM, HEADS, batch_first=True, device="cpu")
    ours = dict(zip(("in_w", "in_b", "out_w", "out_b"), layer.get_weights(), strict=True))
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.tensor(ours["in_w"].T))
        theirs.in_proj_bias.copy_(torch.tensor(ours["in_b"]))
        theirs.out_proj.weight.copy_(torch.tensor(ours["out_w"].T))
        theirs.out_proj.bias.copy_(torch.tensor(ours["out_b"]))
        padding = np.arange(LENGTH) >= np.array([[LENGTH], [3]])
        later = torch.tensor(~np.tri(LENGTH, dtype=bool)) if causal else None
        tensor = torch.tensor(x)
        expected, weights = theirs(
            tensor,
            tensor,
            tensor,
            key_padding_mask=torch.tensor(padding),
            attn_mask=later,
            average_attn_weights=False,
        )
    got = layer(x, x, value_mask=~padding, return_attention_scores=True)
    assert_allclose(numbers(got[0]), expected.numpy(), **close)
    assert_allclose(numbers(got[1]), weights.numpy(), **close)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("positions", [None, "alibi", "rotary", "shaw"])
def test_half_precision_on_long_inputs(rng, randomized, numbers, dtype, positions):
    """To 8 units in the last place of the largest output."""
    x = rng.normal(size=(1, 256, 32)).astype("float32")
    layer = SelfAttention(4, True, positions=positions, num_kv_heads=2)
    layer(x)
    half = SelfAttention(4, True, positions=positions, num_kv_heads=2, dtype=f"mixed_{dtype}")
    half(x)
    half.set_weights(layer.get_weights())
    expected = numbers(layer(x))
    bound = 8 * {"float16": 2**-11, "bfloat16": 2**-8}[dtype] * np.abs(expected).max()
    assert_allclose(numbers(half(x)), expected, rtol=0, atol=bound)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_a_norm_keeps_scores_small(rng, numbers, dtype):
    x = (rng.normal(size=(1, 6, 8)) * 1e4).astype("float32")
    output, weights = SelfAttention(2, qk_norm=True, dtype=dtype)(x, return_attention_scores=True)
    assert np.isfinite(numbers(output)).all()
    assert numbers(weights).min() > 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SelfAttention(4, num_kv_heads=3), "`num_kv_heads` 3 must divide `num_heads` 4"),
        (lambda: SelfAttention(4, num_kv_heads=0), "`num_kv_heads` 0 must divide `num_heads` 4"),
        (lambda: CrossAttention(4, num_kv_heads=8), "`num_kv_heads` 8 must divide `num_heads` 4"),
        (lambda: SelfAttention(0), "`num_heads` 0, both 1 or more"),
        (lambda: SelfAttention(4, window=0), "`window` must be 1 or more, got 0"),
    ],
)
def test_heads_and_windows_that_can_not_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("argument", "mask"),
    [
        ("attention_mask", np.ones((BATCH, LENGTH), bool)),
        ("attention_mask", np.ones((1, LENGTH, LENGTH), bool)),
        ("attention_mask", np.ones((BATCH, 1, LENGTH), bool)),
        ("attention_mask", np.ones((BATCH, LENGTH, 1), bool)),
        ("attention_mask", np.ones((BATCH, LENGTH, LENGTH), "float32")),
        ("value_mask", np.ones((BATCH, LENGTH), "float32")),
        ("value_mask", np.ones((BATCH, LENGTH), "int32")),
    ],
)
@pytest.mark.parametrize("make", [SelfAttention, CrossAttention])
def test_masks_of_another_shape_or_dtype_are_refused(make, argument, mask, x):
    with pytest.raises(ValueError, match=f"`{argument}`"):
        make(HEADS)(x, x, **{argument: mask})
