"""Position schemes against numbers from the papers, another library, and each other."""

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from tests.zoo.layers.reference.positions import t5_bucket
from zoo.layers import (
    AlibiPositions,
    LearnedPositions,
    NoisePositions,
    RotaryPositions,
    SelfAttention,
    ShawPositions,
    SinusoidalPositions,
    T5Positions,
    position_schemes,
)
from zoo.layers.alibi_positions import slopes

HEADS, WIDTH, LENGTH = 2, 4, 7
both_ways = pytest.mark.parametrize("causal", [False, True], ids=["full", "causal"])
schemes = pytest.mark.parametrize("name", position_schemes.SCHEMES)
close = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture
def x(rng):
    return rng.normal(size=(2, LENGTH, HEADS * WIDTH)).astype("float32")


@pytest.fixture
def make(x, randomized):
    def build(positions, causal=False, **options):
        layer = SelfAttention(HEADS, causal=causal, positions=positions, **options)
        layer(x)
        return randomized(layer)

    return build


def test_slopes_of_the_paper():
    # Section 3: 1/2^1 .. 1/2^8 for 8 heads, 1/2^0.5, 1/2^1 .. for 16; between, every other one.
    assert_allclose(slopes(8), 0.5 ** np.arange(1, 9))
    assert_allclose(slopes(16), 0.5 ** (np.arange(1, 17) / 2))
    assert_allclose(slopes(1), [1 / 256])
    assert_allclose(slopes(6), [1 / 4, 1 / 16, 1 / 64, 1 / 256, 1 / 2, 1 / 8])


@both_ways
def test_t5s_buckets(numbers, causal):
    scheme = T5Positions()
    scheme.prepare(HEADS, WIDTH, causal)
    # At 8, 16, 32 and 64 times 2 a logarithm is a whole number, which rounding may miss.
    distances = [d for d in range(-300, 300) if abs(d) not in (16, 32, 64, 128)]
    expected = [t5_bucket(d, causal, 32, 128) for d in distances]
    got = numbers(scheme.bucket(ops.convert_to_tensor(distances, dtype="int32")))
    assert_array_equal(got, expected)
    # The distance 0 is not a later one, so the first bucket of those stays empty, in its code too.
    assert set(got) == set(range(32)) - (set() if causal else {16})


def test_rotary_scores_depend_on_the_distance_alone(rng, numbers):
    q, k = (rng.normal(size=(1, 1, 1, 16)).astype("float32") for _ in range(2))
    scheme = RotaryPositions()
    at = lambda x, p: numbers(scheme.rotate(x, np.array([[p]])))[0, 0, 0]  # noqa: E731
    expected = at(q, 5) @ at(k, 2)
    for shift in (0, 1, 100, 4000):
        assert_allclose(at(q, 5 + shift) @ at(k, 2 + shift), expected, rtol=2e-3, atol=1e-3)
        assert_allclose(np.linalg.norm(at(q, shift)), np.linalg.norm(q), rtol=1e-5)


@pytest.mark.peer
@pytest.mark.shows("other library", "self-rotary")
def test_rotary_against_keras_hub(rng, numbers):
    keras_hub = pytest.importorskip("keras_hub")
    x = rng.normal(size=(2, 9, 3, 8)).astype("float32")
    places = np.arange(9)[None]
    for linear in (1.0, 4.0):
        theirs = keras_hub.layers.RotaryEmbedding(scaling_factor=linear)
        got = numbers(RotaryPositions(linear=linear).rotate(x.swapaxes(1, 2), places))
        assert_allclose(got.swapaxes(1, 2), numbers(theirs(x)), **close)


@pytest.mark.peer
@pytest.mark.shows("other library", "sinusoidal", "self-sinusoidal")
def test_sinusoidal_against_keras_hub(numbers):
    keras_hub = pytest.importorskip("keras_hub")
    x = np.zeros((2, 9, 8), "float32")
    theirs = keras_hub.layers.SinePositionEncoding()
    assert_allclose(numbers(SinusoidalPositions()(x)), numbers(theirs(x)), **close)


def test_tables_are_added_row_by_row(numbers):
    zeros, start = np.zeros((2, 3, 4), "float32"), np.array([0, 5])
    for layer in (LearnedPositions(9), NoisePositions(9)):
        placed = numbers(layer(zeros, start))
        table = np.array(layer.table)
        assert_allclose(placed, [table[:3], table[5:8]])
        # Past the last position stands the last vector.
        past = numbers(layer(zeros, np.array([8, 99])))
        assert_allclose(past[0], table[[8, 8, 8]])
        assert_allclose(past[1], table[[8, 8, 8]])


@pytest.mark.parametrize("make", [LearnedPositions, NoisePositions])
def test_lengths_known_only_in_the_run_get_the_last_vector(make, numbers):
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the other backends know every length beforehand")
    layer = make(3)
    layer.build((None, None, 2))
    place = tf.function(layer, input_signature=[tf.TensorSpec((None, None, 2))])
    table = np.array(layer.table)
    assert_allclose(numbers(place(np.zeros((1, 5, 2), "f4")))[0], table[[0, 1, 2, 2, 2]])


def test_noise_is_noise_and_stays_what_it_is(numbers):
    zeros = np.zeros((1, 400, 64), "float32")
    noise = numbers(NoisePositions()(zeros))
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02
    assert_array_equal(numbers(NoisePositions()(zeros)), noise)
    assert (numbers(NoisePositions(seed=1)(zeros)) != noise).mean() > 0.99
    assert not NoisePositions().weights


@schemes
@pytest.mark.parametrize("kv_heads", [1, 2])
@pytest.mark.parametrize("window", [None, 3])
def test_decoding_with_the_cache_equals_the_whole(name, kv_heads, window, x, make, numbers):
    layer = make(name, causal=True, num_kv_heads=kv_heads, window=window, qk_norm=True, gated=True)
    whole, weights = layer(x, return_attention_scores=True)
    # The second row stands at other positions than the first, in steps of the same batch.
    cache = layer.empty_cache(2, LENGTH + 2)
    for t in range(LENGTH):
        output, seen, cache = layer(
            x[:, t : t + 1],
            cache=cache,
            position=np.full(2, t),
            return_attention_scores=True,
            return_cache=True,
        )
        assert_allclose(numbers(output)[:, 0], numbers(whole)[:, t], **close)
        assert_allclose(numbers(seen)[:, :, 0, :LENGTH], numbers(weights)[:, :, t], **close)
    at = np.array([1, 4])
    output = layer(x[[0, 1], at][:, None], cache=cache, position=at)
    assert_allclose(numbers(output)[:, 0], numbers(whole)[[0, 1], at], **close)


@schemes
def test_each_scheme_tells_the_order(name, x, make, numbers):
    layer, bag = make(name), make(None)
    order = np.array([3, 0, 6, 2, 5, 1, 4])
    assert_allclose(numbers(bag(x[:, order])), numbers(bag(x))[:, order], **close)
    assert np.abs(numbers(layer(x[:, order])) - numbers(layer(x))[:, order]).max() > 1e-3


@pytest.mark.parametrize("name", ["alibi", "rotary", "shaw", "t5"])
def test_relative_schemes_do_not_know_where_the_text_starts(name, x, make, numbers):
    layer = make(name)
    mask = np.arange(LENGTH + 3)[None].repeat(2, 0) >= 3
    shifted = np.pad(x, ((0, 0), (3, 0), (0, 0)))
    assert_allclose(numbers(layer(shifted, value_mask=mask))[:, 3:], numbers(layer(x)), **close)


@schemes
@pytest.mark.parametrize("length", [1, 4096])
def test_shortest_and_longest(name, length, rng, numbers):
    scheme = {"learned": LearnedPositions(4096), "noise": NoisePositions(4096)}.get(name, name)
    x = rng.normal(size=(1, length, 2)).astype("float32")
    output = numbers(SelfAttention(1, causal=True, positions=scheme)(x))
    assert np.isfinite(output).all()


@schemes
def test_a_scheme_is_made_from_its_name_itself_or_its_config(name):
    scheme = position_schemes.get(name)
    assert type(scheme) is position_schemes.SCHEMES[name]
    assert position_schemes.get(scheme) is scheme
    config = keras.saving.serialize_keras_object(scheme)
    assert position_schemes.get(config).get_config() == scheme.get_config()
    copied = position_schemes.copy(name, "another")
    assert copied.get_config() == {**scheme.get_config(), "name": "another"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: LearnedPositions(3)(np.zeros((1, 4, 2))),
            "4 where `max_length` is 3; make",
        ),
        (lambda: NoisePositions(3)(np.zeros((1, 4, 2))), "4 where `max_length` is 3; make"),
        (
            lambda: SelfAttention(2, positions=LearnedPositions(3))(np.zeros((1, 4, 8), "f4")),
            "length of 4 where `max_length` is 3; make it as long",
        ),
        (
            lambda: SelfAttention(2, positions="rotary")(np.zeros((1, 2, 6), "float32")),
            "width of a head must be even.*got 3",
        ),
    ],
)
def test_what_a_scheme_can_not_do_it_says(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_alibi_learns_nothing_and_layers_share_what_t5_learns():
    assert not AlibiPositions().weights
    shared = T5Positions()
    assert shared.of_layer() is shared
    assert ShawPositions(3).of_layer().max_distance == 3
    assert SinusoidalPositions().of_layer() is None


@pytest.mark.parametrize(
    ("scheme", "other", "message"),
    [
        (T5Positions, {"causal": True}, "made for attention of 2 heads, causal=False, got .*True"),
        (T5Positions, {"num_heads": 4}, "made for attention of 2 heads, .*, got one of 4 heads"),
        (ShawPositions, {"num_heads": 4}, "made for attention of heads of width 4, got .* width 2"),
    ],
)
def test_what_a_scheme_learned_for_other_heads_is_not_shared(x, numbers, scheme, other, message):
    shared = scheme()
    first = SelfAttention(HEADS, positions=shared)
    before = numbers(first(x))
    with pytest.raises(ValueError, match=message):
        SelfAttention(**{"num_heads": HEADS, **other}, positions=shared)(x)
    SelfAttention(HEADS, positions=shared)(x)
    assert_array_equal(numbers(first(x)), before)
