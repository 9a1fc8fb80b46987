"""The recurrent decoder against NumPy in float64, one sentence and one step at a time."""

import numpy as np
import pytest
from keras.layers import GRUCell, LSTMCell, SimpleRNNCell
from numpy.testing import assert_allclose

from zoo.layers import BahdanauAttention, LuongAttention, RecurrentDecoder

UNITS = 4


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def weights_of(cell):
    return (np.float64(w) for w in (cell.kernel, cell.recurrent_kernel, cell.bias))


def rnn(cell, x, states):
    """Elman: `h = tanh(W x + U h + b)`."""
    w, u, b = weights_of(cell)
    h = np.tanh(x @ w + states[0] @ u + b)
    return h, [h]


def lstm(cell, x, states):
    """Input, forget and output gate, cell state: `c = f c + i g`, `h = o tanh(c)`."""
    (w, u, b), (h, c) = weights_of(cell), states
    i, f, g, o = np.split(x @ w + h @ u + b, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, [h, c]


def gru(cell, x, states):
    """Cho et al. 2014, eq. 5 to 8, with the reset gate behind the product, as cuDNN has it."""
    (w, u, b), (h,) = weights_of(cell), states
    (xz, xr, xh), (hz, hr, hh) = np.split(x @ w + b[0], 3), np.split(h @ u + b[1], 3)
    z = sigmoid(xz + hz)
    h = z * h + (1 - z) * np.tanh(xh + sigmoid(xr + hr) * hh)
    return h, [h]


CELLS = {"rnn": (SimpleRNNCell, rnn, 1), "lstm": (LSTMCell, lstm, 2), "gru": (GRUCell, gru, 1)}
ATTENTIONS = {
    "none": dict,
    "bahdanau": lambda: {"attention": BahdanauAttention(3), "attend": "before"},
    "luong": lambda: {"attention": LuongAttention()},
    "luong-fed": lambda: {"attention": LuongAttention(), "input_feeding": True},
    "gnmt": lambda: {"attention": BahdanauAttention(3), "attend": "between"},
}


def look(attention, query, memory):
    """Weights over a memory with no padding, and its weighted sum."""
    keys = memory @ np.float64(attention.key_projection.kernel)
    if isinstance(attention, BahdanauAttention):
        asked = query @ np.float64(attention.query_projection.kernel)
        keys = np.tanh(asked + keys + np.float64(attention.key_projection.bias))
        query = np.float64(attention.v)
    weights = np.exp(keys @ query)
    weights /= weights.sum()
    return weights @ memory, weights


def decode(layer, advance, count, inputs, memory):
    """Outputs and weights for one sentence."""
    states = [[np.zeros(UNITS)] * count for _ in layer.cells]
    fed, outputs, alignments = np.zeros(UNITS), [], []
    context = np.zeros(memory.shape[-1])
    for y in inputs:
        x = y
        if layer.attend == "before":
            context, weights = look(layer.attention, states[-1][0], memory)
            x = np.concatenate([y, context])
        if layer.input_feeding:
            x = np.concatenate([y, fed])
        if layer.attend == "between":
            x = np.concatenate([y, context])
        for i, cell in enumerate(layer.cells):
            below = x
            if layer.attend == "between" and i:
                x = np.concatenate([x, context])
            x, states[i] = advance(cell, x, states[i])
            if layer.residual and i:
                x = x + below
            if layer.attend == "between" and not i:
                context, weights = look(layer.attention, x, memory)
        if layer.attend == "between":
            alignments.append(weights)
        elif layer.attention is not None:
            parts = [x, y]
            if layer.attend == "after":
                context, weights = look(layer.attention, x, memory)
                parts = [x]
            kernel = np.float64(layer.output_projection.kernel)
            x = fed = np.tanh(np.concatenate([context, *parts]) @ kernel)
            alignments.append(weights)
        outputs.append(x)
    return outputs, alignments


@pytest.mark.parametrize(("depth", "residual"), [(1, False), (2, False), (3, True)])
@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("cell", CELLS)
def test_decoder(cell, attention, depth, residual, randomized, numbers, rng):
    if attention == "gnmt" and depth == 1:
        pytest.skip("nothing to be between")
    make, advance, count = CELLS[cell]
    inputs = rng.normal(size=(3, 5, 6)).astype("float32")
    memory = rng.normal(size=(3, 4, 7)).astype("float32")
    lengths = [4, 2, 1]
    cells, options = [make(UNITS) for _ in range(depth)], ATTENTIONS[attention]()
    layer = RecurrentDecoder(cells, **options, residual=residual)
    given = () if layer.attention is None else (memory, np.arange(4) < np.c_[lengths])
    layer(inputs, *given)
    randomized(layer)
    attends = layer.attention is not None
    answer = layer(inputs, *given, return_attention_scores=attends)
    for b, length in enumerate(lengths):
        expected = decode(layer, advance, count, inputs[b], memory[b, :length])
        outputs, *weights = answer if attends else (answer,)
        assert_allclose(numbers(outputs)[b], expected[0], rtol=1e-4, atol=1e-5)
        for aligned in weights:
            assert_allclose(numbers(aligned)[b, :, :length], expected[1], rtol=1e-4, atol=1e-5)
