"""A matrix product with every element of a sequence."""

import keras
from keras import ops

from zoo.layers import shapes


@keras.saving.register_keras_serializable("zoo")
class Dense(keras.layers.Dense):
    """`f(x W + b)` of each vector of a sequence, as one matrix product of two dimensions.

    It computes what `keras.layers.Dense` does. On TensorFlow, that one works the shapes of a
    sequence out in the graph, a dozen small operations around each product, which is most of the
    time that decoding a single token takes. Keras's `quantize` takes no subclass such as this one.

    Args: as `keras.layers.Dense`.

    Call arguments:
        inputs: `(..., dim)`.

    Returns:
        `(..., units)`.
    """

    def call(self, inputs, training=None):
        if len(inputs.shape) == 2:
            return super().call(inputs, training=training)
        rows = ops.reshape(inputs, (-1, inputs.shape[-1]))
        outputs = super().call(rows, training=training)
        return ops.reshape(outputs, (*shapes.sizes(inputs)[:-1], self.units))
