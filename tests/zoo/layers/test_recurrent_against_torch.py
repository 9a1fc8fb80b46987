"""Cells in the recurrent decoder without attention against PyTorch's, with copied weights."""

import numpy as np
import pytest
from keras.layers import GRUCell, LSTMCell, SimpleRNNCell
from numpy.testing import assert_allclose

from zoo.layers import RecurrentDecoder

torch = pytest.importorskip("torch")

# Which of Keras's gates each of PyTorch's is: i f g o; r z n where Keras has z r h.
CELLS = {
    "rnn": (SimpleRNNCell, torch.nn.RNN, [0]),
    "lstm": (LSTMCell, torch.nn.LSTM, [0, 1, 2, 3]),
    "gru": (GRUCell, torch.nn.GRU, [1, 0, 2]),
}
DIM, UNITS = 3, 5


def gates(weight, order):
    """PyTorch has the gates below each other, Keras side by side."""
    parts = np.split(np.array(weight), len(order), axis=-1)
    return torch.tensor(np.concatenate([parts[i] for i in order], axis=-1).T.copy())


def copy(cells, theirs, order):
    with torch.no_grad():
        for n, cell in enumerate(cells):
            getattr(theirs, f"weight_ih_l{n}").copy_(gates(cell.kernel, order))
            getattr(theirs, f"weight_hh_l{n}").copy_(gates(cell.recurrent_kernel, order))
            # A GRU has two biases in Keras, too; the others one, which stands for the sum.
            bias = np.atleast_2d(np.array(cell.bias))
            bias = bias if len(bias) == 2 else np.stack([bias[0], np.zeros_like(bias[0])])
            getattr(theirs, f"bias_ih_l{n}").copy_(gates(bias[0], order))
            getattr(theirs, f"bias_hh_l{n}").copy_(gates(bias[1], order))


@pytest.mark.peer
@pytest.mark.shows("other library", "recurrent")
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("name", CELLS)
def test_outputs_and_states(name, depth, rng, randomized, numbers):
    make, module, order = CELLS[name]
    cells = [make(UNITS) for _ in range(depth)]
    inputs = rng.normal(size=(2, 7, DIM)).astype("float32")
    layer = RecurrentDecoder(cells)
    layer(inputs)
    randomized(layer)
    theirs = module(DIM, UNITS, depth, batch_first=True, device="cpu")
    copy(cells, theirs, order)
    first = rng.normal(size=(2, depth, 2, UNITS)).astype("float32")  # h and c of each cell
    h, c = (torch.tensor(part, device="cpu") for part in first)
    start = [part[n] for n in range(depth) for part in first[: 1 + (name == "lstm")]]
    with torch.no_grad():
        expected, last = theirs(torch.tensor(inputs, device="cpu"), (h, c) if name == "lstm" else h)
    got, states = layer(inputs, initial_state=start, return_state=True)
    assert_allclose(numbers(got), expected.numpy(), rtol=1e-5, atol=1e-6)
    last = last if name == "lstm" else (last,)
    expected = [part[n].numpy() for n in range(depth) for part in last]
    for state, wanted in zip(states, expected, strict=True):
        assert_allclose(numbers(state), wanted, rtol=1e-5, atol=1e-6)
