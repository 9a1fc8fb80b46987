"""Sinusoidal position encoding."""

import keras
from keras import ops

from zoo.layers.absolute_positions import AbsolutePositions


@keras.saving.register_keras_serializable("zoo")
class SinusoidalPositions(AbsolutePositions):
    """Add a position's sines and cosines to what stands there.

        PE(p, 2i)   = sin(p / 10000^(2i / d))
        PE(p, 2i+1) = cos(p / 10000^(2i / d))

    Self-attention alone sees a bag of tokens; this gives it their order. There is nothing to
    learn, and no longest length.

    Call arguments and returns: as `AbsolutePositions`, dim even.

    Raises:
        ValueError: for an odd width.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.5.
    """

    def build(self, inputs_shape, start_shape=None):
        if inputs_shape[-1] % 2:
            raise ValueError(f"{self.name}: the width must be even, got {inputs_shape[-1]}.")

    def encode(self, positions, dim):
        rate = ops.exp(ops.arange(0, dim, 2, dtype="float32") * (-ops.log(10000.0) / dim))
        angle = ops.expand_dims(ops.cast(positions, "float32"), -1) * rate  # (b or 1, len, dim / 2)
        waves = ops.stack([ops.sin(angle), ops.cos(angle)], axis=-1)
        return ops.reshape(waves, (-1, ops.shape(positions)[1], dim))
