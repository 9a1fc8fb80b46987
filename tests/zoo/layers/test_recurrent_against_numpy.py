"""The recurrent decoder against NumPy in float64, for each cell, order and depth."""

import functools
import itertools

import numpy as np
import pytest
from hypothesis import strategies as st
from keras.layers import GRUCell, LSTMCell, SimpleRNNCell

from tests.zoo.layers.drawn import DRAWS, agree, built, examples
from tests.zoo.layers.reference import alignments, recurrent
from zoo.layers import BahdanauAttention, LuongAttention, RecurrentDecoder

UNITS, DIM, MEMORY_DIM = 4, 6, 7
CELLS = {
    "rnn": (SimpleRNNCell, recurrent.rnn),
    "lstm": (LSTMCell, recurrent.lstm),
    "gru": (GRUCell, recurrent.gru),
}
ORDERS = {
    "none": (dict, None),
    "bahdanau": (
        lambda: {"attention": BahdanauAttention(3), "attend": "before"},
        alignments.additive,
    ),
    "luong": (lambda: {"attention": LuongAttention()}, alignments.general),
    "luong-fed": (
        lambda: {"attention": LuongAttention("concat"), "input_feeding": True},
        alignments.concat,
    ),
    "gnmt": (
        lambda: {"attention": BahdanauAttention(3, normed=True), "attend": "between"},
        alignments.additive,
    ),
}
STACKS = [(1, False), (2, False), (3, True)]


def make(cell, order, stack):
    depth, residual = stack
    cells = [CELLS[cell][0](UNITS) for _ in range(depth)]
    return RecurrentDecoder(cells, **ORDERS[order][0](), residual=residual)


MAKERS = {
    given: functools.partial(make, *given) for given in itertools.product(CELLS, ORDERS, STACKS)
}


@pytest.mark.shows("NumPy", "recurrent", "recurrent-bahdanau", "recurrent-luong")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("cell", CELLS)
@examples(draw=DRAWS, stack=st.sampled_from(STACKS))
def test_outputs_and_weights(cell, order, draw, stack):
    stack = STACKS[1] if order == "gnmt" and stack == STACKS[0] else stack  # nothing is between
    inputs, memory, mask, _ = draw.arrays(DIM, MEMORY_DIM)
    attends, score = order != "none", ORDERS[order][1]
    given = (inputs, memory) if attends else (inputs,)
    shapes = [(1, 1, array.shape[-1]) for array in given]
    layer = built(MAKERS[cell, order, stack], draw.dtype, *shapes)
    asked = {"memory_mask": mask, "return_attention_scores": True} if attends else {}
    answer = layer(*given, **asked)
    rows = zip(np.float64(inputs), alignments.blank(memory, mask), mask, strict=True)
    decode = functools.partial(recurrent.decode, layer, CELLS[cell][1], score)
    expected = [np.array(part) for part in zip(*(decode(*row) for row in rows), strict=True)]
    for got, wanted in zip(answer if attends else [answer], expected, strict=False):
        agree(got, wanted, draw.dtype)
