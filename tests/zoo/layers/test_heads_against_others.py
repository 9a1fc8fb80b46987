"""Grouped heads, windows, gates and masks against Keras's layers and PyTorch's."""

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


def test_hypotheses_bring_their_own_attention_masks(x, memory, seen, build, numbers):
    layer, seen = build(CrossAttention(HEADS), x, memory), seen[..., :5]
    projected = layer.project_memory(keras.ops.convert_to_tensor(memory))
    both, masks = np.concatenate([x, -x])[[0, 2, 1, 3]], seen.repeat(2, axis=0)
    got = layer.attend(both, projected, attention_mask=keras.ops.convert_to_tensor(masks))
    tiled = layer(both, memory.repeat(2, axis=0), attention_mask=masks)
    assert_allclose(numbers(got), numbers(tiled), **close)


@pytest.mark.shows("other library", "self-multi-query", "self-window", "self-normed-gated")
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


@pytest.mark.shows("other library", "cross")
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


@pytest.mark.peer
@pytest.mark.shows("other library", "self", "self-causal")
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
        (lambda: SelfAttention(4, num_kv_heads=0), "`num_kv_heads` must be 1 or more, got 0"),
        (lambda: CrossAttention(4, num_kv_heads=8), "`num_kv_heads` 8 must divide `num_heads` 4"),
        (lambda: SelfAttention(0), "`num_heads` must be 1 or more, got 0"),
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
