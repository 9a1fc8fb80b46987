"""Attentions that do not end in a softmax over all keys, against NumPy in float64.

One query, one key, one loop at a time, as the papers' equations read.
"""

import functools

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from zoo.layers import (
    BahdanauAttention,
    ChunkwiseAttention,
    CoverageAttention,
    LocalAttention,
    LuongAttention,
    MonotonicAttention,
)

close = functools.partial(assert_allclose, rtol=1e-4, atol=1e-5)


def matrix(dense):
    return np.float64(dense.kernel)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(scores, seen):
    weights = np.zeros(len(scores))
    if seen.any():
        raised = np.exp(scores[seen] - scores[seen].max())
        weights[seen] = raised / raised.sum()
    return weights


def general(layer, query, keys):
    """Luong et al. 2015, eq. 8."""
    return keys @ matrix(layer.key_projection) @ query


def normed(layer, query, keys, more=0):
    """Salimans and Kingma 2016, eq. 2, in Bahdanau et al. 2015, A.1.2."""
    hidden = query @ matrix(layer.query_projection) + keys @ matrix(layer.key_projection)
    v = np.float64(layer.v)
    v = np.float64(layer.gain) * v / np.sqrt(v @ v) if layer.normed else v
    return np.tanh(hidden + np.float64(layer.key_projection.bias) + more) @ v


def scaled(layer, query, keys):
    """Vaswani et al. 2017, eq. 1."""
    return keys @ query / np.sqrt(len(query))


def location(layer, query, keys):
    """Luong et al. 2015, section 3.1: `softmax(W_a h_t)`."""
    return (query @ matrix(layer.query_projection))[: len(keys)]


def by_score(score, layer, queries, keys, seen):
    return [softmax(score(layer, query, keys), seen) for query in queries]


def local_m(layer, queries, keys, seen):
    """Luong et al. 2015, section 3.2, monotonic: p_t = t."""
    weights = []
    for t, query in enumerate(queries):
        p = min(t, max(seen.sum() - 1, 0))
        within = seen & (np.abs(np.arange(len(keys)) - p) <= layer.window)
        weights.append(softmax(general(layer.attention, query, keys), within))
    return weights


def local_p(layer, queries, keys, seen):
    """Luong et al. 2015, section 3.2, predictive: eq. 9 and 10."""
    weights, sigma = [], layer.window / 2
    for query in queries:
        p = np.tanh(query @ matrix(layer.hidden)) @ matrix(layer.position)[:, 0]
        apart = np.arange(len(keys)) - seen.sum() * sigmoid(p)
        near = softmax(general(layer.attention, query, keys), seen & (abs(apart) <= layer.window))
        weights.append(near * np.exp(-(apart**2) / (2 * sigma**2)))
    return weights


def monotonic(layer, queries, keys, seen, score=normed):
    """Raffel et al. 2017, eq. 9: sums over where the search may have started."""
    previous, weights = np.eye(len(keys))[0], []
    for query in queries:
        p = sigmoid(score(layer.attention, query, keys) + np.float64(layer.r)) * seen
        alignment = np.zeros(len(keys))
        for j in range(len(keys)):
            for k in range(j + 1):
                alignment[j] += previous[k] * np.prod(1 - p[k:j])
            alignment[j] *= p[j]
        weights.append(alignment)
        previous = alignment
    return weights


def hard(layer, queries, keys, seen):
    """Raffel et al. 2017, algorithm 1: a search that stops, or runs past the end for good."""
    at, weights = 0, []
    for query in queries:
        energy = normed(layer.attention, query, keys) + np.float64(layer.r)
        while at < len(keys) and not (seen[at] and energy[at] >= 0):
            at += 1
        weights.append(np.eye(len(keys) + 1)[at, :-1])
    return weights


def chunkwise(layer, queries, keys, seen):
    """Chiu and Raffel 2018: each alignment's weight, shared over its chunk by softmax."""
    weights = []
    for query, alignment in zip(
        queries, monotonic(layer.monotonic, queries, keys, seen), strict=True
    ):
        scores, shared = general(layer.attention, query, keys), np.zeros(len(keys))
        for k in range(len(keys)):
            chunk = seen & (np.arange(len(keys)) <= k) & (np.arange(len(keys)) > k - layer.chunk)
            shared += alignment[k] * softmax(scores, chunk)
        weights.append(shared)
    return weights


def coverage(layer, queries, keys, seen):
    """Tu et al. 2016, sections 3.1 and 3.1.1."""
    share = sigmoid(keys @ matrix(layer.fertility)[:, 0] + np.float64(layer.fertility.bias))
    covered, weights = np.zeros(len(keys)), []
    for query in queries:
        more = covered[:, None] * np.float64(layer.coverage)
        weights.append(softmax(normed(layer, query, keys, more), seen))
        covered = covered + weights[-1] / (layer.max_fertility * share)
    return weights


def searching(mode="soft", **options):
    return MonotonicAttention(BahdanauAttention(5, normed=True), mode, **options)


CASES = {
    "scaled": (lambda: LuongAttention("scaled"), functools.partial(by_score, scaled)),
    "location": (lambda: LuongAttention("location"), functools.partial(by_score, location)),
    "normed": (lambda: BahdanauAttention(5, normed=True), functools.partial(by_score, normed)),
    "local-m": (lambda: LocalAttention(LuongAttention(), 1), local_m),
    "local-p": (lambda: LocalAttention(LuongAttention(), 2, predictive=True), local_p),
    "monotonic": (searching, monotonic),
    "monotonic-luong": (
        lambda: MonotonicAttention(LuongAttention()),
        functools.partial(monotonic, score=general),
    ),
    "hard": (lambda: searching("hard"), hard),
    "chunkwise": (lambda: ChunkwiseAttention(LuongAttention(), searching(), 3), chunkwise),
    "coverage": (lambda: CoverageAttention(5, 3.0), coverage),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture
def drawn(request, randomized):
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


@pytest.mark.parametrize("seed", range(4))
def test_context_and_weights(case, seed, drawn, numbers):
    make, reference = case
    layer, x, memory, mask = drawn(make, seed)
    context, weights = layer(x, memory, value_mask=mask, return_attention_scores=True)
    blank = np.float64(memory) * mask[..., None]
    expected = np.array(
        [reference(layer, x[b], blank[b], mask[b]) for b in range(len(x))], np.float64
    )
    close(numbers(weights), expected)
    close(numbers(context), expected @ blank)


def gradients(layer, x, memory, mask, direction):
    """The gradient of `sum(weights * direction)`, by whichever backend, for x and the weights."""
    variables = layer.trainable_variables
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        x = tf.Variable(x)
        with tf.GradientTape() as tape:
            _, weights = layer(x, memory, value_mask=mask, return_attention_scores=True)
            total = tf.reduce_sum(weights * direction)
        return tape.gradient(total, [x, *(variable.value for variable in variables)])
    if backend == "torch":
        import torch

        x = torch.tensor(x, requires_grad=True)
        _, weights = layer(x, memory, value_mask=mask, return_attention_scores=True)
        total = (weights * torch.tensor(direction)).sum()
        gradients = torch.autograd.grad(total, [x, *(variable.value for variable in variables)])
        return [gradient.detach() for gradient in gradients]
    import jax

    def total(x, values):
        answer, _ = layer.stateless_call(
            values, fixed, x, memory, value_mask=mask, return_attention_scores=True
        )
        return (answer[1] * direction).sum()

    fixed = [variable.value for variable in layer.non_trainable_variables]
    of_x, of_weights = jax.grad(total, (0, 1))(x, [variable.value for variable in variables])
    return [of_x, *of_weights]


@pytest.mark.parametrize("name", [name for name in CASES if name != "hard"])
def test_gradients_are_the_references_finite_differences(name, drawn, numbers, rng):
    make, reference = CASES[name]
    layer, x, memory, mask = drawn(make, 7)
    blank = np.float64(memory) * mask[..., None]
    direction = rng.normal(size=(*x.shape[:2], memory.shape[1])).astype("float32")
    places = [np.array(value, np.float64) for value in (x, *layer.get_weights())]
    step = 1e-3

    def total(values):
        layer.set_weights(values[1:])
        weights = [reference(layer, values[0][b], blank[b], mask[b]) for b in range(len(x))]
        return (np.array(weights) * direction).sum()

    got = [numbers(gradient) for gradient in gradients(layer, x, memory, mask, direction)]
    for i, gradient in enumerate(got):
        for at in list(np.ndindex(gradient.shape))[::5]:
            moved = [[np.array(value) for value in places] for _ in range(2)]
            moved[0][i][at] += step
            moved[1][i][at] -= step
            expected = (total(moved[0]) - total(moved[1])) / (2 * step)
            assert_allclose(gradient[at], expected, rtol=1e-2, atol=2e-3)


def test_hard_is_soft_where_every_choice_is_clear(drawn, numbers):
    layer, x, memory, mask = drawn(searching, 3)
    layer.attention.gain.assign(1e4)
    expected = np.array([hard(layer, *row) for row in zip(x, memory, mask, strict=True)])
    _, weights = layer(x, memory, value_mask=mask, return_attention_scores=True)
    close(numbers(weights), expected)


def test_a_chunk_of_one_is_the_monotonic_attention(drawn, numbers):
    make = functools.partial(ChunkwiseAttention, LuongAttention(), searching(), 1)
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


@pytest.mark.parametrize("make", [BahdanauAttention, functools.partial(LuongAttention, "concat")])
@pytest.mark.parametrize("chunks", [2, 3, 50])
def test_chunks_change_nothing(make, chunks, drawn, numbers):
    whole, x, memory, mask = drawn(make, 1)
    parts = make(chunks=chunks)
    parts(x, memory)
    parts.set_weights(whole.get_weights())
    close(numbers(parts(x, memory, value_mask=mask)), numbers(whole(x, memory, value_mask=mask)))


@pytest.mark.parametrize("name", CASES)
def test_a_thousand_keys_give_numbers(name, rng, numbers):
    layer = CASES[name][0]()
    x, memory = rng.normal(size=(1, 1, 6)), rng.normal(size=(1, 1000, 6))
    if name == "location":
        layer = LuongAttention("location", max_length=1000)
    _, weights = layer(100 * x, 100 * memory, return_attention_scores=True)
    weights = numbers(weights)
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    assert weights.sum() <= 1 + 1e-4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LuongAttention("scale"), "`score` must be one of .*'scaled'.*got 'scale'"),
        (lambda: LuongAttention(max_length=0), "`max_length` must be 1 or more, got 0"),
        (lambda: LuongAttention("concat", chunks=0), "`chunks` must be 1 or more, got 0"),
        (lambda: BahdanauAttention(0), "`units` must be 1 or more, got 0"),
        (lambda: BahdanauAttention(chunks=-1), "`chunks` must be 1 or more, got -1"),
        (lambda: CoverageAttention(max_fertility=0), "`max_fertility` must be 1 or more, got 0"),
        (lambda: LocalAttention(LuongAttention(), 0), "`window` must be 1 or more, got 0"),
        (lambda: searching("firm"), r"`mode` must be one of \('soft', 'hard'\), got 'firm'"),
        (lambda: MonotonicAttention(LuongAttention(), noise=-1), "`noise` must be 0 or more"),
        (lambda: ChunkwiseAttention(LuongAttention(), searching(), 0), "`chunk` must be 1 or more"),
        (lambda: LocalAttention(searching()), "LocalAttention: .*by its score alone.*Monotonic"),
        (lambda: MonotonicAttention(CoverageAttention()), "by its score alone.*Coverage"),
    ],
)
def test_what_cannot_be_made_says_so(make, message):
    with pytest.raises(ValueError, match=message):
        make()


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


def test_noise_is_fresh_for_each_query_and_key(drawn, numbers):
    """Raffel et al. 2017, section 2.5: `sigmoid(e_ij + noise)`, whatever walks the queries."""
    layer, x, memory, mask = drawn(lambda: searching(seed=1), 3)
    twin = type(layer).from_config(layer.get_config())
    (noise,) = (numbers(part) for part in twin.draw(x, memory))
    assert noise.shape == (*x.shape[:2], memory.shape[1])
    assert len(set(noise.ravel())) == noise.size
    _, weights = layer(x, memory, value_mask=mask, training=True, return_attention_scores=True)
    for b, seen in enumerate(mask):
        rows = iter(noise[b])
        score = lambda *given, rows=rows: normed(*given) + next(rows)  # noqa: E731
        close(numbers(weights)[b], monotonic(layer, x[b], memory[b], seen, score))
