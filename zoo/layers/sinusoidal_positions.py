"""Sinusoidal position encoding."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("zoo")
class SinusoidalPositions(keras.layers.Layer):
    """Add a position's sines and cosines to what stands there.

        PE(p, 2i)   = sin(p / 10000^(2i / d))
        PE(p, 2i+1) = cos(p / 10000^(2i / d))

    Self-attention alone sees a bag of tokens; this gives it their order. There is nothing to
    learn, and no longest length.

    Call arguments:
        inputs: `(batch, length, dim)`, dim even.
        start: int `(batch,)`, the position of each row's first element; 0 when not given.

    Returns:
        `(batch, length, dim)`.

    Raises:
        ValueError: for an odd width.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.5.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, inputs_shape, start_shape=None):
        if inputs_shape[-1] % 2:
            raise ValueError(f"{self.name}: the width must be even, got {inputs_shape[-1]}.")

    def call(self, inputs, start=None):
        _, length, dim = ops.shape(inputs)
        position = ops.expand_dims(ops.arange(length, dtype="float32"), 0)  # (1, length)
        if start is not None:
            position = position + ops.expand_dims(ops.cast(start, "float32"), 1)
        rate = ops.exp(ops.arange(0, dim, 2, dtype="float32") * (-ops.log(10000.0) / dim))
        angle = ops.expand_dims(position, -1) * rate  # (batch or 1, length, dim / 2)
        waves = ops.stack([ops.sin(angle), ops.cos(angle)], axis=-1)
        waves = ops.reshape(waves, (-1, length, dim))
        return inputs + ops.cast(waves, inputs.dtype)
