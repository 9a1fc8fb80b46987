"""The position-wise feed-forward network."""

import keras


@keras.saving.register_keras_serializable("zoo")
class FeedForward(keras.layers.Layer):
    """`FFN(x) = f(x W_1 + b_1) W_2 + b_2`, the same at every position.

    Attention mixes values linearly; the non-linearity of a Transformer is here.

    Args:
        units: width of the hidden layer.
        activation: `f`: "relu" as in the paper, "gelu", or any that Keras knows.
        dropout: rate on the hidden layer while training.

    Call arguments:
        inputs: `(..., dim)`.

    Returns:
        `(..., dim)`.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.3, eq. 2. GELU: Hendrycks and
        Gimpel 2016.
    """

    def __init__(self, units, activation="relu", dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.dropout = dropout
        self.supports_masking = True

    def build(self, inputs_shape):
        self.expand = keras.layers.Dense(
            self.units, activation=self.activation, dtype=self.dtype_policy, name="expand"
        )
        self.contract = keras.layers.Dense(
            inputs_shape[-1], dtype=self.dtype_policy, name="contract"
        )
        self.expand.build(inputs_shape)
        self.contract.build((*inputs_shape[:-1], self.units))
        self.hidden_dropout = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)

    def call(self, inputs, training=False):
        return self.contract(self.hidden_dropout(self.expand(inputs), training=training))

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
        }
