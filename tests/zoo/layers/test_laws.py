"""The laws of attention, each over every attention layer."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal


def heads_first(weights):
    """`(heads, batch, queries, keys)`, with one head where the layer has none."""
    return weights[None] if weights.ndim == 3 else np.swapaxes(weights, 0, 1)


def total(attention, weights, **bounds):
    """The weights sum to what the table says, or to no more than 1."""
    bounds = bounds or {"atol": 1e-6}
    totals = weights.sum(-1)
    expected = np.minimum(totals, 1) if attention.total is None else attention.total
    assert_allclose(totals, np.broadcast_to(expected, totals.shape), rtol=0, **bounds)


@pytest.fixture
def ask(numbers):
    """Output and weights of an attention layer, as arrays."""

    def call(layer, *tensors, **options):
        answer = layer(*tensors, return_attention_scores=True, **options)
        return [numbers(tensor) for tensor in answer]

    return call


def test_weights_are_distributions_over_the_keys_that_the_mask_allows(attention, built, ask):
    layer, (x, memory, mask) = built(attention)
    _, weights = ask(layer, x, memory, value_mask=mask)
    for head in heads_first(weights):
        assert (head >= 0).all()
        total(attention, head)
        assert (head.swapaxes(1, 2)[~mask] == 0).all()


def test_a_row_with_no_key_to_look_at_gives_zeros(attention, built, ask, numbers):
    layer, (x, memory, mask) = built(attention)
    mask[1] = False
    output, weights = ask(layer, x, memory, value_mask=mask)
    projected = hasattr(layer, "output_projection")
    nothing = numbers(layer.output_projection.bias) if projected else 0
    assert_array_equal(weights[1], np.zeros_like(weights[1]))
    assert_allclose(output[1], np.broadcast_to(nothing, output[1].shape), rtol=1e-6)


def test_output_does_not_depend_on_whether_the_weights_are_asked_for(
    attention, built, ask, numbers
):
    layer, (x, memory, mask) = built(attention)
    mask[1] = False
    output, _ = ask(layer, x, memory, value_mask=mask)
    # On some backends it is another kernel that answers, to rounding.
    assert_allclose(numbers(layer(x, memory, value_mask=mask)), output, rtol=1e-5, atol=1e-6)


def test_more_padding_changes_nothing(attention, built, ask):
    layer, (x, memory, mask) = built(attention)
    output, weights = ask(layer, x, memory, value_mask=mask)
    longer = np.pad(memory, ((0, 0), (0, 3), (0, 0)))
    more, more_weights = ask(layer, x, longer, value_mask=np.pad(mask, ((0, 0), (0, 3))))
    assert_allclose(more, output, rtol=1e-5, atol=1e-6)
    assert_allclose(more_weights[..., :5], weights, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("filling", [1e4, np.nan, np.inf, -np.inf])
def test_what_the_padding_holds_changes_nothing(attention, built, ask, filling):
    layer, (x, memory, mask) = built(attention)
    filled = np.where(mask[..., None], memory, np.float32(filling))
    expected = ask(layer, x, memory, value_mask=mask)
    assert_array_equal(ask(layer, x, filled, value_mask=mask)[0], expected[0])
    output, weights = ask(layer, x, filled, filled, value_mask=mask)
    assert_array_equal(output, expected[0])
    assert_array_equal(weights, expected[1])


def test_padding_and_rows_without_a_key_leave_the_gradient_finite(attention, built):
    if not attention.learns:
        pytest.skip("no gradient")
    layer, (x, memory, mask) = built(attention)
    mask[1] = False
    memory[~mask] = np.nan
    symbols = [keras.Input(array.shape[1:], dtype=str(array.dtype)) for array in (x, memory, mask)]
    query, value, value_mask = symbols
    answer = layer(keras.layers.Dense(8)(query), value, value_mask=value_mask)
    model = keras.Model(symbols, keras.layers.Dense(1)(answer))
    model.compile("sgd", "mse", run_eagerly=True)
    model.train_on_batch([x, memory, mask], np.ones((3, 4, 1)))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_the_only_key_gets_all_the_weight_there_is(attention, built, ask):
    layer, (x, memory, _) = built(attention)
    _, weights = ask(layer, x, memory[:, :1])
    if attention.total is not None:
        assert_array_equal(weights, np.ones_like(weights))
    _, weights = ask(layer, x, memory[:, :1], value_mask=np.zeros((3, 1), bool))
    assert_array_equal(weights, np.zeros_like(weights))


def test_permuted_keys_permute_the_weights(attention, built, ask, rng):
    if attention.ordered:
        pytest.skip("the order of the keys counts")
    layer, (x, memory, mask) = built(attention)
    output, weights = ask(layer, x, memory, value_mask=mask)
    order = rng.permutation(5)
    permuted, permuted_weights = ask(layer, x, memory[:, order], value_mask=mask[:, order])
    assert_allclose(permuted, output, rtol=1e-5, atol=1e-6)
    assert_allclose(permuted_weights, weights[..., order], rtol=1e-5, atol=1e-6)


def test_the_key_is_what_the_query_is_compared_with(attention, built, ask, rng):
    layer, (x, memory, mask) = built(attention)
    other = rng.normal(size=memory.shape).astype("float32")
    _, weights = ask(layer, x, memory, other, value_mask=mask)
    assert_allclose(weights, ask(layer, x, other, value_mask=mask)[1], rtol=1e-6)
    assert_allclose(
        ask(layer, x, memory, memory, value_mask=mask)[0], ask(layer, x, memory, value_mask=mask)[0]
    )


def test_keras_masks_and_explicit_masks_agree(attention, built, ask, numbers):
    layer, (x, memory, mask) = built(attention)
    marked = np.where(mask[..., None], memory, np.float32(-7))
    query, value = keras.Input(x.shape[1:]), keras.Input(memory.shape[1:])
    masked = keras.layers.Masking(-7.0)(value)
    model = keras.Model((query, value), layer(query, masked, return_attention_scores=True))
    for implicit, explicit in zip(
        model((x, marked)), ask(layer, x, memory, value_mask=mask), strict=True
    ):
        assert_allclose(numbers(implicit), explicit, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_scores_of_ten_thousand_are_no_trouble(attention, sample, ask, dtype, policy):
    policy(dtype)
    x, memory, mask = sample(attention)
    # 8 products of 35.36 * 35.36 sum to 10,002 in the dot score; the other scores have no bound.
    high, low = np.full_like(x, 35.36), np.full_like(memory, -35.36)
    for sign in (1, -1):
        output, weights = ask(attention.make(), high, sign * low, value_mask=mask)
        assert np.isfinite(output).all()
        total(attention, weights, atol=0.02)


@pytest.mark.parametrize(
    ("argument", "shapes", "options"),
    [
        ("value", [(3, 4, 8), (2, 5, 8)], {}),
        ("value", [(3, 4, 8), (3, 8)], {}),
        ("key", [(3, 4, 8), (3, 5, 8), (3, 6, 8)], {}),
        ("value_mask", [(3, 4, 8), (3, 5, 8)], {"value_mask": np.ones((3, 4), bool)}),
        ("value_mask", [(3, 4, 8), (3, 5, 8)], {"value_mask": np.ones((3, 4, 5), bool)}),
    ],
)
def test_shapes_that_do_not_fit_are_named(attention, argument, shapes, options):
    with pytest.raises(ValueError, match=f"`{argument}`"):
        attention.make()(*(np.zeros(shape, "float32") for shape in shapes), **options)
