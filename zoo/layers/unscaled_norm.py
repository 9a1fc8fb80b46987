"""RMSNorm that learns nothing."""

import keras
from keras import ops


class UnscaledNorm(keras.layers.Layer):
    """`x / sqrt(mean(x^2) + epsilon)`: RMSNorm without its weights, computed in float32.

    Args:
        epsilon: added to the mean square.

    Call arguments:
        inputs: `(..., dim)`.

    Returns:
        `(..., dim)`.

    Reference:
        Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", eq. 4, without the gain.
    """

    def __init__(self, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        mean_square = ops.mean(ops.square(x), axis=-1, keepdims=True)
        return ops.cast(x * ops.rsqrt(mean_square + self.epsilon), self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
