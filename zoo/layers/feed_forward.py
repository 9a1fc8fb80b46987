"""The position-wise feed-forward network."""

import keras
from keras import ops

from zoo.layers.arguments import check_rate, check_whole
from zoo.layers.dense import Dense


@keras.saving.register_keras_serializable("zoo")
class FeedForward(keras.layers.Layer):
    """Two matrices and what is not linear between them, the same at every position.

        plain:  FFN(x) = f(x W_1 + b_1) W_2 + b_2
        gated:  FFN(x) = (f(x W_1) * x V) W_2
        relu:   f(z) = max(0, z)
        gelu:   f(z) = z Phi(z)
        silu:   f(z) = z sigmoid(z)

    Attention mixes values linearly; the non-linearity of a Transformer is here. With `gated` and
    "silu" it is SwiGLU, with "gelu" GEGLU, with "relu" ReGLU.

    Args:
        units: width of the hidden layer. Gated, two thirds of it make as many weights as without.
        activation: `f`: "relu" as in the paper, "gelu", "silu", or any that Keras knows.
        dropout: rate on the hidden layer while training.
        gated: a gated linear unit, which has no biases.

    Call arguments:
        inputs: `(..., dim)`.

    Returns:
        `(..., dim)`.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.3, eq. 2. GELU: Hendrycks and
        Gimpel 2016, "Gaussian Error Linear Units (GELUs)", section 2. Gated: Shazeer 2020, "GLU
        Variants Improve Transformer", eq. 6.
    """

    def __init__(self, units, activation="relu", dropout=0.0, gated=False, **kwargs):
        super().__init__(**kwargs)
        check_whole("FeedForward", units=units)
        check_rate("FeedForward", dropout=dropout)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.dropout = dropout
        self.gated = gated
        self.supports_masking = True

    def build(self, inputs_shape):
        dim = inputs_shape[-1]
        # Gated, W_1 and V are one matrix product, as wide as both.
        self.expand = self._dense((1 + self.gated) * self.units, inputs_shape, "expand")
        self.contract = self._dense(dim, (*inputs_shape[:-1], self.units), "contract")
        self.hidden_dropout = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)

    def _dense(self, units, shape, name):
        dense = Dense(units, use_bias=not self.gated, dtype=self.dtype_policy, name=name)
        dense.build(shape)
        return dense

    def call(self, inputs, training=False):
        hidden = self.expand(inputs)
        if self.gated:
            hidden, linear = ops.split(hidden, 2, axis=-1)
            hidden = self.activation(hidden) * linear
        else:
            hidden = self.activation(hidden)
        return self.contract(self.hidden_dropout(hidden, training=training))

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "gated": self.gated,
        }
