"""The recurrent decoder in NumPy's float64: one sentence and one step at a time."""

import numpy as np

from tests.zoo.layers.reference.alignments import matrix, sigmoid, softmax


def weights_of(cell):
    return (np.float64(w) for w in (cell.kernel, cell.recurrent_kernel, cell.bias))


def rnn(cell, x, states):
    """Elman 1990: `h = tanh(W x + U h + b)`."""
    w, u, b = weights_of(cell)
    h = np.tanh(x @ w + states[0] @ u + b)
    return h, [h]


def lstm(cell, x, states):
    """Hochreiter and Schmidhuber 1997 with Gers et al. 2000's forget gate.

    Input, forget and output gate, cell state: `c = f c + i g`, `h = o tanh(c)`.
    """
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


def decode(layer, advance, score, inputs, memory, seen):
    """Outputs and weights for one sentence.

    Args:
        advance: `rnn`, `lstm` or `gru`.
        score: of the alignments' scores; the attention is global.
        memory, seen: blank where it is not seen.
    """
    run = {"before": _bahdanau, "after": _luong, "between": _gnmt}[layer.attend]
    run = _plain if layer.attention is None else run
    sizes = [cell.units for cell in layer.cells]
    states = [[np.zeros(size)] * (2 if advance is lstm else 1) for size in sizes]

    def look(query):
        weights = softmax(score(layer.attention, query, memory), seen)
        return weights @ memory, weights

    outputs, weights = zip(*run(layer, advance, look, inputs, memory, states), strict=True)
    return np.array(outputs), np.array(weights)


def climb(layer, advance, x, states, cells, beside=()):
    """Through some of the cells of a stack; a residual (Wu et al. 2016, eq. 6) above the first."""
    for n in cells:
        below = x
        x, states[n] = advance(layer.cells[n], np.concatenate([x, *beside]), states[n])
        x = x + below if layer.residual and n else x
    return x


def _plain(layer, advance, look, inputs, memory, states):
    """Sutskever et al. 2014, section 2: `h_t` alone."""
    for y in inputs:
        yield climb(layer, advance, y, states, range(len(states))), ()


def _bahdanau(layer, advance, look, inputs, memory, states):
    """Bahdanau et al. 2015, section 3.1: the context of `s_{t-1}` goes into the cell."""
    for y in inputs:
        context, weights = look(states[-1][0])
        s = climb(layer, advance, np.concatenate([y, context]), states, range(len(states)))
        yield np.tanh(np.concatenate([context, s, y]) @ matrix(layer.output_projection)), weights


def _luong(layer, advance, look, inputs, memory, states):
    """Luong et al. 2015, eq. 5: `h~_t = tanh(W_c [c_t; h_t])`; 3.3: fed into the next step."""
    vector = np.zeros(layer.cells[-1].units)
    for y in inputs:
        x = np.concatenate([y, vector]) if layer.input_feeding else y
        h = climb(layer, advance, x, states, range(len(states)))
        context, weights = look(h)
        vector = np.tanh(np.concatenate([context, h]) @ matrix(layer.output_projection))
        yield vector, weights


def _gnmt(layer, advance, look, inputs, memory, states):
    """Wu et al. 2016, eq. 4: the first layer's output asks, the context goes into all others."""
    context = np.zeros(memory.shape[-1])
    for y in inputs:
        first = climb(layer, advance, np.concatenate([y, context]), states, [0])
        context, weights = look(first)
        yield climb(layer, advance, first, states, range(1, len(states)), [context]), weights
