"""The residual connection with its norm."""

import keras


@keras.saving.register_keras_serializable("zoo")
class Residual(keras.layers.Layer):
    """A residual connection around a branch, with layer norm before or after it.

        pre-norm:   x + f(norm(x))
        post-norm:  norm(x + f(x))

    The branch stays the caller's: `y = residual.enter(x)`, `y = f(y)`, `x = residual.leave(x, y)`.

    Args:
        dropout: rate on the branch before it is added, while training.
        norm_first: pre-norm, which trains without warm-up; post-norm is the paper's.

    Call arguments:
        inputs: `x`, `(..., dim)`.
        branch: `f(enter(x))`, `(..., dim)`. Without it the call is `enter`, with it `leave`.

    Returns:
        `(..., dim)`.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.1 and 5.4. Pre-norm: Xiong et
        al. 2020, "On Layer Normalization in the Transformer Architecture", figure 1.
    """

    def __init__(self, dropout=0.0, norm_first=True, **kwargs):
        super().__init__(**kwargs)
        self.dropout = dropout
        self.norm_first = norm_first
        self.supports_masking = True
        self.norm = keras.layers.LayerNormalization(
            epsilon=1e-5, dtype=self.dtype_policy, name="norm"
        )
        self.branch_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, inputs_shape, branch_shape=None):
        self.norm.build(inputs_shape)

    def enter(self, inputs):
        """What the branch gets."""
        return self(inputs)

    def leave(self, inputs, branch, training=False):
        """Join the branch's answer to what went in."""
        return self(inputs, branch, training=training)

    def call(self, inputs, branch=None, training=False):
        if branch is None:
            return self.norm(inputs) if self.norm_first else inputs
        joined = inputs + self.branch_dropout(branch, training=training)
        return joined if self.norm_first else self.norm(joined)

    def get_config(self):
        return {**super().get_config(), "dropout": self.dropout, "norm_first": self.norm_first}
