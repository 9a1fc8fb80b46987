"""What an attention draws for all steps at once goes, in the decoder, each to its step."""

import keras
import numpy as np
import pytest
from keras.layers import GRUCell, LSTMCell
from numpy.testing import assert_allclose

from zoo.layers import Attention, RecurrentDecoder

ONES = np.ones((6, 5, 6), "float32")


class Dice(Attention):
    """Weights that are drawn, so that one sees where the draws go."""

    def start(self, value):
        return [] if self.parallel else [keras.ops.zeros_like(value[:, 0, :1])]

    def draw(self, query, value):
        return [keras.ops.convert_to_tensor(self.thrown)]

    def align(self, query, key, mask, state):
        return state[-1], state[:-1]


@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize("order", ["before", "after", "fed", "between"])
def test_what_an_attention_draws_goes_to_its_step(order, length, parallel, rng, numbers):
    attention, inputs = Dice(), ONES[:, :length]
    attention.thrown = rng.dirichlet(np.ones(5), (6, length)).astype("float32")
    attention.parallel = parallel
    options = {"attend": "after", "input_feeding": True} if order == "fed" else {"attend": order}
    layer = RecurrentDecoder([GRUCell(4), LSTMCell(3)], attention, dropout=0.5, **options)
    asked = {"return_attention_scores": True, "return_state": True, "training": True}
    _, weights, state = layer(inputs, ONES, **asked)
    assert_allclose(numbers(weights), attention.thrown, rtol=1e-6)
    assert len(state) == len(layer.state_widths)
