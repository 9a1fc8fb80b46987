"""Attention with linear biases."""

import math

import keras
from keras import ops

from zoo.layers.positions import Positions


@keras.saving.register_keras_serializable("zoo")
class AlibiPositions(Positions):
    """Take from a score in proportion to the distance, each head by a slope of its own.

        e_ij = q_i . k_j / sqrt(width) - m_head |i - j|,   m_h = 2^(-8 h / heads), h = 1 .. heads

    Nothing is learned, and inputs may be longer than any in training. The paper's attention is
    causal; where later keys are seen, distance counts alike both ways.

    Reference:
        Press, Smith, Lewis 2022, "Train Short, Test Long: Attention with Linear Biases Enables
        Input Length Extrapolation", section 3; slopes for any number of heads as in its code.
    """

    def bias(self, query, query_positions, key_positions):
        distance = ops.expand_dims(key_positions, 1) - ops.expand_dims(query_positions, 2)
        distance = ops.cast(ops.absolute(distance), "float32")  # (1 or b, q, k)
        slope = ops.reshape(ops.convert_to_tensor(slopes(query.shape[1])), (1, -1, 1, 1))
        return -slope * ops.expand_dims(distance, 1)


def slopes(heads):
    """The slope of each head; between powers of two, every other one of the next power's."""
    power = 2 ** math.floor(math.log2(heads))
    first = [2 ** (-8 * (i + 1) / power) for i in range(power)]
    return first + [2 ** (-4 * (2 * i + 1) / power) for i in range(heads - power)]
