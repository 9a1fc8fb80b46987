"""The recurrent decoder: one step at a time, its states, its dropout."""

import functools

import keras
import numpy as np
import pytest
from keras.layers import GRUCell, LSTMCell, SimpleRNNCell
from numpy.testing import assert_allclose, assert_array_equal

from zoo.layers import (
    BahdanauAttention,
    ChunkwiseAttention,
    CoverageAttention,
    LocalAttention,
    LuongAttention,
    MonotonicAttention,
    RecurrentDecoder,
)

BEFORE = {"attend": "before"}
MADE = {
    "none": lambda: RecurrentDecoder(GRUCell(4)),
    "stacked": lambda: RecurrentDecoder([LSTMCell(5), GRUCell(3), SimpleRNNCell(4)]),
    "bahdanau": lambda: RecurrentDecoder([LSTMCell(5), GRUCell(4)], BahdanauAttention(3), **BEFORE),
    "luong": lambda: RecurrentDecoder(LSTMCell(4), LuongAttention()),
    "luong-fed": lambda: RecurrentDecoder(
        [GRUCell(5), LSTMCell(4)], LuongAttention("concat"), "after", True
    ),
    "luong-before": lambda: RecurrentDecoder(GRUCell(4), LuongAttention(), **BEFORE),
    "bahdanau-after": lambda: RecurrentDecoder(GRUCell(4), BahdanauAttention()),
    "residual": lambda: RecurrentDecoder([GRUCell(4), GRUCell(4)], residual=True),
    "gnmt": lambda: RecurrentDecoder(
        [LSTMCell(4), LSTMCell(4)], BahdanauAttention(normed=True), "between", residual=True
    ),
    "gnmt-monotonic": lambda: RecurrentDecoder(
        [GRUCell(3), GRUCell(4)], MonotonicAttention(LuongAttention()), "between"
    ),
    "coverage": lambda: RecurrentDecoder(GRUCell(4), CoverageAttention(3), **BEFORE),
    "coverage-after": lambda: RecurrentDecoder(GRUCell(4), CoverageAttention(3)),
    "local-m": lambda: RecurrentDecoder(LSTMCell(4), LocalAttention(LuongAttention(), 1)),
    "local-m-fed": lambda: RecurrentDecoder(
        LSTMCell(4), LocalAttention(LuongAttention(), 1), input_feeding=True
    ),
    "local-p": lambda: RecurrentDecoder(
        LSTMCell(4), LocalAttention(LuongAttention(), 1, predictive=True)
    ),
    "mocha": lambda: RecurrentDecoder(
        GRUCell(4), ChunkwiseAttention(LuongAttention(), MonotonicAttention(LuongAttention()))
    ),
    "hard": lambda: RecurrentDecoder(
        GRUCell(4), MonotonicAttention(BahdanauAttention(), "hard"), **BEFORE
    ),
}


@pytest.fixture
def arrays(rng):
    """Two sentences of 5 inputs, and memories 4 and 2 long."""
    inputs = rng.normal(size=(2, 5, 6)).astype("float32")
    memory = rng.normal(size=(2, 4, 7)).astype("float32")
    return inputs, memory, np.arange(4) < np.array([[4], [2]])


@pytest.fixture(params=MADE)
def decoder(request, arrays, randomized):
    layer = MADE[request.param]()
    layer(*given(layer, *arrays))
    return randomized(layer)


def given(layer, inputs, memory, mask):
    return (inputs,) if layer.attention is None else (inputs, memory, mask)


def start(layer, rng, memory, hypotheses=1):
    """Random states of the cells, and what goes with them before the first step."""
    sizes = [size for cell in layer.cells for size in keras.tree.flatten(cell.state_size)]
    states = [rng.normal(size=(len(memory), size)).astype("float32") for size in sizes]
    states = layer.start([keras.ops.convert_to_tensor(state) for state in states], memory)
    return [keras.ops.repeat(state, hypotheses, axis=0) for state in states]


def test_step_by_step_equals_the_whole(decoder, arrays, numbers, rng):
    inputs, memory, mask = arrays
    state = start(decoder, rng, memory)
    attends = decoder.attention is not None
    asked = {"return_state": True, "return_attention_scores": attends}
    whole = decoder(*given(decoder, *arrays), initial_state=state, **asked)
    steps = []
    if attends:
        projected, keys = decoder.project_memory(
            *(keras.ops.convert_to_tensor(array) for array in (memory, mask))
        )
        asked |= {"memory": projected, "keys": keys, "memory_mask": mask}
    for t in range(5):
        *answer, state = decoder(inputs[:, t : t + 1], initial_state=state, **asked)
        steps.append([numbers(tensor) for tensor in answer])
    for expected, *got in zip(whole[:-1], *steps, strict=True):
        assert_allclose(np.concatenate(got, axis=1), numbers(expected), rtol=1e-5, atol=1e-6)
    for expected, got in zip(whole[-1], state, strict=True):
        assert_allclose(numbers(got), numbers(expected), rtol=1e-5, atol=1e-6)


def test_hypotheses_share_their_sources_memory(decoder, arrays, numbers, rng):
    inputs, memory, mask = arrays
    inputs = np.concatenate([inputs, -inputs])[[0, 2, 1, 3]]  # two hypotheses a source, together
    state = start(decoder, rng, memory, hypotheses=2)
    tiled = given(decoder, inputs, memory.repeat(2, axis=0), mask.repeat(2, axis=0))
    shared = {"inputs": inputs}
    if decoder.attention is not None:
        projected, keys = decoder.project_memory(
            *(keras.ops.convert_to_tensor(array) for array in (memory, mask))
        )
        shared |= {"memory": projected, "keys": keys, "memory_mask": mask}
    assert_allclose(
        numbers(decoder(**shared, initial_state=state)),
        numbers(decoder(*tiled, initial_state=state)),
        rtol=1e-5,
        atol=1e-6,
    )


def test_later_inputs_and_padding_of_the_memory_change_nothing(decoder, arrays, numbers):
    inputs, memory, mask = arrays
    expected = numbers(decoder(*given(decoder, *arrays)))
    changed = np.concatenate([inputs[:, :3], 9 - inputs[:, 3:]], axis=1)
    filled = np.where(mask[..., None], memory, np.float32(np.nan))
    output = numbers(decoder(*given(decoder, changed, filled, mask)))
    assert_allclose(output[:, :3], expected[:, :3], rtol=1e-6, atol=1e-7)
    assert np.isfinite(output).all()


def test_initial_state_defaults_to_zeros(decoder, arrays, numbers):
    _, memory, _ = arrays
    cells = [size for cell in decoder.cells for size in keras.tree.flatten(cell.state_size)]
    zeros = [np.zeros((2, size), "float32") for size in cells]
    output = numbers(decoder(*given(decoder, *arrays)))
    for state in (zeros, decoder.start(list(map(keras.ops.convert_to_tensor, zeros)), memory)):
        expected = decoder(*given(decoder, *arrays), initial_state=state)
        assert_array_equal(output, numbers(expected))


def test_the_state_is_the_cells_then_what_is_fed_then_the_attentions(arrays):
    sizes = {"stacked": [5, 5, 3, 4], "luong": [4, 4], "luong-fed": [5, 4, 4, 4]}
    sizes |= {"gnmt": [4, 4, 4, 4, 7], "coverage": [4, 4], "local-m": [4, 4, 1]}
    for name, expected in sizes.items():
        layer = MADE[name]()
        *_, state = layer(*given(layer, *arrays), return_state=True)
        assert [part.shape[-1] for part in state] == expected


def test_keras_masks_and_explicit_masks_agree(decoder, arrays, numbers):
    inputs, memory, mask = arrays
    if decoder.attention is None:
        pytest.skip("no memory")
    marked = np.where(mask[..., None], memory, np.float32(-7))
    symbols = keras.Input(inputs.shape[1:]), keras.Input(memory.shape[1:])
    model = keras.Model(symbols, decoder(symbols[0], keras.layers.Masking(-7.0)(symbols[1])))
    assert_allclose(numbers(model((inputs, marked))), numbers(decoder(*arrays)), rtol=1e-6)


def test_padded_inputs_change_nothing_before_them(decoder, arrays, numbers):
    inputs, memory, mask = arrays
    inputs[:, 3:] = -7
    masked = keras.layers.Masking(-7.0)(inputs)
    output = decoder(*given(decoder, masked, memory, mask))
    expected = decoder(*given(decoder, inputs, memory, mask))
    assert_allclose(numbers(output)[:, :3], numbers(expected)[:, :3], rtol=1e-5, atol=1e-6)


def test_dropout_draws_one_mask_for_all_steps(rng, numbers):
    # With W = 1, U = 0 and no bias each step is tanh(x * mask): equal inputs, equal outputs.
    layer = RecurrentDecoder(SimpleRNNCell(50, dropout=0.5, seed=1))
    inputs = np.ones((1, 6, 50), "float32")
    layer(inputs)
    layer.set_weights([np.eye(50), np.zeros((50, 50)), np.zeros(50)])
    first, second = (numbers(layer(inputs, training=True)) for _ in range(2))
    assert set(np.round(first.ravel(), 4)) == {0, np.round(np.tanh(2), 4).astype("float32")}
    assert_array_equal(first, first[:, :1].repeat(6, axis=1))
    assert (first != second).any()
    assert_allclose(numbers(layer(inputs)), np.tanh(np.ones((1, 6, 50))), rtol=1e-6)


@pytest.mark.parametrize("name", ["stacked", "bahdanau", "luong-fed", "gnmt"])
def test_dropout_reaches_every_cell_of_a_stack(name, arrays, numbers):
    layer = MADE[name]()
    for cell in layer.cells:
        cell.dropout = cell.recurrent_dropout = 0.5
    first, second = (numbers(layer(*given(layer, *arrays), training=True)) for _ in range(2))
    assert (first != second).any()
    assert_array_equal(
        numbers(layer(*given(layer, *arrays))), numbers(layer(*given(layer, *arrays)))
    )


@pytest.fixture
def passing():
    """A decoder on ones whose second cell gives what it sees of the first, one or more a step.

    With W = 1, U = 0 and no bias the cells are x -> x on ones.
    """

    def make(rate, seed=1, **options):
        cells = [SimpleRNNCell(50, activation="linear") for _ in range(2)]
        layer, inputs = RecurrentDecoder(cells, dropout=rate, seed=seed), np.ones((2, 6, 50), "f4")
        layer(inputs)
        layer.set_weights([np.eye(50), np.zeros((50, 50)), np.zeros(50)] * 2)
        return functools.partial(layer, inputs)

    return make


def test_dropout_between_layers_draws_a_mask_for_each_step(passing, numbers):
    """Zaremba et al. 2014, section 3.2; what is kept is scaled, so that the mean stays."""
    decode = passing(0.5)
    output = numbers(decode(training=True))
    assert set(np.round(output.ravel(), 4)) == {0, 2}
    rows = output.reshape(12, 50)  # two sentences of six steps, no two alike
    assert len({row.tobytes() for row in rows}) == 12
    assert abs(output.mean() - 1) < 0.2
    assert (numbers(decode(training=True)) != output).any()
    assert_array_equal(numbers(passing(0.5)(training=True)), output)
    assert (numbers(passing(0.5, seed=2)(training=True)) != output).any()
    assert_array_equal(numbers(decode()), np.ones_like(output))


def test_one_layer_has_nothing_to_drop_between(arrays, numbers):
    layer = RecurrentDecoder(GRUCell(4), dropout=0.5)
    assert_array_equal(numbers(layer(arrays[0], training=True)), numbers(layer(arrays[0])))
    assert not layer.drop.variables


@pytest.mark.parametrize("name", ["stacked", "bahdanau", "luong-fed", "gnmt"])
@pytest.mark.parametrize("length", [1, 5])
def test_dropout_between_layers_in_every_order(name, length, arrays, numbers):
    inputs, *others = arrays
    layer = MADE[name]()
    plain = layer(*given(layer, inputs[:, :length], *others), training=True)
    config = {**layer.get_config(), "dropout": 0.5, "seed": 3}
    first, second = (RecurrentDecoder.from_config(config) for _ in range(2))
    for copy in (first, second):
        copy(*given(copy, inputs[:, :length], *others))
        copy.set_weights(layer.get_weights())
    for training in (False, True):
        outputs = [
            numbers(copy(*given(copy, inputs[:, :length], *others), training=training))
            for copy in (first, second)
        ]
        assert_array_equal(*outputs)
        assert (np.abs(outputs[0] - numbers(plain)) > 1e-4).any() == training


def test_dropout_between_layers_knows_of_masked_steps(arrays, numbers):
    # What stands at masked steps changes nothing, and they leave the states as they are.
    inputs, mask = arrays[0], np.arange(5) >= np.array([[2], [0]])
    layer = RecurrentDecoder([GRUCell(4), GRUCell(4)], dropout=0.5, seed=1)
    masked = keras.layers.Masking(-7.0)(np.where(mask[..., None], inputs, np.float32(-7)))
    layer(inputs)
    twin = RecurrentDecoder.from_config(layer.get_config())
    twin(inputs)
    twin.set_weights(layer.get_weights())
    implicit = numbers(layer(masked, training=True))
    explicit = numbers(twin(inputs, inputs_mask=mask, training=True))
    assert_allclose(implicit[mask], explicit[mask], rtol=1e-5)
    state = layer(inputs[:1, :1], inputs_mask=np.zeros((1, 1), bool), return_state=True)[1]
    assert all((numbers(part) == 0).all() for part in state)


@pytest.mark.parametrize("name", ["gnmt-monotonic", "mocha", "coverage"])
def test_draws_in_a_graph_that_knows_no_lengths(name, arrays, numbers):
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the other backends know every length beforehand")
    layer = MADE[name]()
    layer(*given(layer, *arrays))
    symbols = [tf.TensorSpec((None, None, width)) for width in (6, 7)]
    train = tf.function(functools.partial(layer, training=True), input_signature=symbols)
    first, second = (numbers(train(*arrays[:2])) for _ in range(2))
    assert np.isfinite(first).all()
    assert (first != second).any() == (name != "coverage")
