"""Self-attention: causality, the cache, and two other libraries' attention."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from zoo.layers import CrossAttention, SelfAttention


@pytest.fixture
def x(rng):
    return rng.normal(size=(2, 5, 8)).astype("float32")


@pytest.fixture
def layer(request, x, randomized):
    layer = SelfAttention(2, causal=getattr(request, "param", False))
    layer(x)
    return randomized(layer)


both_ways = pytest.mark.parametrize("layer", [False, True], indirect=True, ids=["full", "causal"])
causal = pytest.mark.parametrize("layer", [True], indirect=True, ids=["causal"])


@causal
def test_later_positions_change_nothing(layer, x, numbers):
    changed = np.concatenate([x[:, :3], x[:, 3:] * 100], axis=1)
    assert_allclose(numbers(layer(changed))[:, :3], numbers(layer(x))[:, :3], rtol=1e-6)
    assert_allclose(numbers(layer(x[:, :3])), numbers(layer(x))[:, :3], rtol=1e-5, atol=1e-6)


@causal
def test_decoding_with_the_cache_equals_the_whole(layer, x, numbers):
    whole, weights = layer(x, return_attention_scores=True)
    cache = layer.empty_cache(2, 7)
    for t in range(5):
        output, seen, cache = layer(
            x[:, t : t + 1],
            cache=cache,
            position=np.full(2, t),
            return_attention_scores=True,
            return_cache=True,
        )
        assert_allclose(numbers(output)[:, 0], numbers(whole)[:, t], rtol=1e-5, atol=1e-6)
        assert_allclose(numbers(seen)[:, :, 0, :5], numbers(weights)[:, :, t], rtol=1e-5, atol=1e-6)
        assert (numbers(seen)[..., t + 1 :] == 0).all()
    _, entries = layer(x, return_cache=True)
    for kept, entry in zip(cache, entries, strict=True):
        assert_allclose(numbers(kept)[:, :, :5], numbers(entry), rtol=1e-5, atol=1e-6)
        assert (numbers(kept)[:, :, 5:] == 0).all()


@causal
def test_decoding_with_a_cache_that_grows_equals_the_whole(layer, x, numbers):
    whole, weights = layer(x, return_attention_scores=True)
    cache = layer.empty_cache(2)
    for t in range(5):
        output, seen, cache = layer(
            x[:, t : t + 1], cache=cache, return_attention_scores=True, return_cache=True
        )
        assert_allclose(numbers(output)[:, 0], numbers(whole)[:, t], rtol=1e-5, atol=1e-6)
        expected = numbers(weights)[:, :, t, : t + 1]
        assert_allclose(numbers(seen)[:, :, 0], expected, rtol=1e-5, atol=1e-6)
    _, entries = layer(x, return_cache=True)
    for kept, entry in zip(cache, entries, strict=True):
        assert_allclose(numbers(kept), numbers(entry), rtol=1e-5, atol=1e-6)


@causal
def test_rows_of_a_cache_may_stand_at_different_positions(layer, x, numbers):
    whole = numbers(layer(x))
    _, cache = layer(x, return_cache=True)
    at = np.array([1, 3])
    output = layer(x[[0, 1], at][:, None], cache=cache, position=at)
    assert_allclose(numbers(output)[:, 0], whole[[0, 1], at], rtol=1e-5, atol=1e-6)


@causal
def test_past_the_end_of_the_cache_nothing_is_kept(layer, x, numbers):
    _, cache = layer(x, return_cache=True)
    asked = {"cache": cache, "return_cache": True, "return_attention_scores": True}
    answer, weights, after = layer(x[:, :1], position=np.array([5, 99]), **asked)
    for kept, before in zip(after, cache, strict=True):
        assert_allclose(numbers(kept), numbers(before))
    assert np.isfinite(numbers(answer)).all()
    assert_allclose(numbers(weights).sum(-1), 1, rtol=1e-6)


@both_ways
def test_itself_as_value_changes_nothing(layer, x, numbers):
    assert_allclose(numbers(layer(x, x)), numbers(layer(x)), rtol=1e-5, atol=1e-6)


@both_ways
def test_padding_of_the_query_changes_nothing(layer, x, numbers):
    mask = np.arange(5) < np.array([[5], [3]])
    filled = np.where(mask[..., None], x, np.float32(np.nan))
    masked = keras.layers.Masking(-7.0)(np.where(mask[..., None], x, np.float32(-7)))
    expected = numbers(layer(x, value_mask=mask))[mask]
    assert_allclose(numbers(layer(filled, value_mask=mask))[mask], expected, rtol=1e-6)
    assert_allclose(numbers(layer(filled, mask=mask))[mask], expected, rtol=1e-6)
    assert_allclose(numbers(layer(masked))[mask], expected, rtol=1e-6)
    assert_allclose(numbers(layer(x[1:, :3]))[0], expected[5:], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [SelfAttention, CrossAttention])
def test_heads_that_do_not_divide_the_width_are_refused(make, x):
    with pytest.raises(ValueError, match="`num_heads` 3 must divide width 8"):
        make(3)(x, x)


@pytest.mark.parametrize("make", [SelfAttention, CrossAttention])
def test_dropout_is_for_training_and_leaves_the_weights_that_are_shown(make, x, numbers):
    layer = make(2, dropout=0.5)
    still, trained, again = (
        layer(x, x, return_attention_scores=True, training=training) for training in (0, 1, 1)
    )
    assert (numbers(trained[0]) != numbers(again[0])).any()
    assert_allclose(numbers(trained[1]), numbers(still[1]))
    assert_allclose(numbers(layer(x, x)), numbers(still[0]), rtol=1e-5, atol=1e-6)


@both_ways
def test_against_keras_multi_head_attention(layer, x, numbers):
    mask = np.arange(5) < np.array([[5], [3]])
    kernel, bias, output, output_bias = layer.get_weights()
    kernels, biases = np.split(kernel.reshape(8, 6, 4), 3, 1), np.split(bias.reshape(6, 4), 3)
    reference = keras.layers.MultiHeadAttention(2, key_dim=4)
    reference.build(x.shape, x.shape)
    projections = [part for pair in zip(kernels, biases, strict=True) for part in pair]
    reference.set_weights([*projections, output.reshape(2, 4, 8), output_bias])
    asked = {"return_attention_scores": True}
    expected = reference(x, x, attention_mask=mask[:, None], use_causal_mask=layer.causal, **asked)
    for got, wanted in zip(layer(x, x, value_mask=mask, **asked), expected, strict=True):
        assert_allclose(numbers(got), numbers(wanted), rtol=1e-5, atol=1e-6)


@both_ways
def test_against_torch_scaled_dot_product_attention(layer, x, numbers):
    torch = pytest.importorskip("torch")
    kernel, bias, output, output_bias = layer.get_weights()
    projected = np.split((x @ kernel + bias).reshape(2, 5, 6, 4), 3, axis=2)
    q, k, v = (torch.tensor(part.swapaxes(1, 2)) for part in projected)
    attended = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=layer.causal)
    merged = attended.numpy().swapaxes(1, 2).reshape(2, 5, 8)
    assert_allclose(numbers(layer(x)), merged @ output + output_bias, rtol=1e-4, atol=1e-5)


def pair(*shape):
    return (np.ones(shape, "f4"),) * 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"query": np.ones((6, 8), "f4")}, r"`query` must be \(batch, length, dim\)"),
        ({"projected": np.ones((3, 2, 4, 4), "f4")}, "`projected` must be a pair of keys and v"),
        ({"projected": pair(3, 4, 8)}, r"`projected` must be \(batch, heads, length"),
        ({"projected": pair(3, 2, 4, 8)}, "`projected` has 8 where the width .* is 4"),
        ({"projected": pair(3, 4, 4, 4)}, "`projected` has 4 where the number .* is 2"),
        ({"projected": pair(4, 2, 4, 4)}, "`query` has 6 rows, no multiple of the 4"),
        (
            {"projected": pair(3, 2, 4, 4)[:1] + pair(3, 2, 5, 4)[1:]},
            "`projected` has 4 where the length of its values is 5",
        ),
        ({"value_mask": np.ones((3, 4), "f4")}, "`value_mask` must be boolean, got float32"),
        ({"value_mask": np.ones((3, 5), bool)}, "`value_mask` has 5 where the length .* is 4"),
        ({"attention_mask": np.ones((6, 2, 5), bool)}, "`attention_mask` has 5 where"),
    ],
)
def test_shapes_that_do_not_fit_a_projected_memory_are_named(given, message):
    layer = CrossAttention(2)
    layer(np.ones((3, 2, 8), "f4"), np.ones((3, 4, 5), "f4"))
    ones = {"query": np.ones((6, 2, 8), "f4"), "projected": pair(3, 2, 4, 4)}
    with pytest.raises(ValueError, match=message):
        layer.attend(**{**ones, **given})


@pytest.mark.parametrize("num_kv_heads", [1, 2, 4])
def test_a_functional_model_may_know_the_batch_and_not_the_length(num_kv_heads, numbers, rng):
    layer = SelfAttention(4, num_kv_heads=num_kv_heads)
    given = keras.Input((None, 8), batch_size=2)
    model = keras.Model(given, layer(given))
    x = rng.normal(size=(2, 5, 8)).astype("float32")
    assert_allclose(numbers(model(x)), numbers(layer(x)), rtol=1e-5, atol=1e-6)
