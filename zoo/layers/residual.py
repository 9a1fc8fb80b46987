"""The residual connection with its norm."""

import keras

from zoo.layers import shapes
from zoo.layers.arguments import check_choice, check_rate
from zoo.layers.unscaled_norm import UnscaledNorm

NORMS = {
    "layer": keras.layers.LayerNormalization,
    "rms": keras.layers.RMSNormalization,
    "unscaled": UnscaledNorm,
}


@keras.saving.register_keras_serializable("zoo")
class Residual(keras.layers.Layer):
    """A residual connection around a branch, with a norm before or after it.

        pre-norm:   x + f(norm(x))
        post-norm:  norm(x + f(x))
        layer norm: norm(x) = g * (x - mean(x)) / sqrt(var(x) + 1e-5) + b
        RMSNorm:    norm(x) = g * x / sqrt(mean(x^2) + 1e-5)
        unscaled:   norm(x) = x / sqrt(mean(x^2) + 1e-5)
        stochastic depth: the branch times 1 / (1 - p), and 0 for a share p of the examples

    The branch stays the caller's: `y = residual.enter(x)`, `y = f(y)`, `x = residual.leave(x, y)`.

    Args:
        dropout: rate on the branch before it is added, while training.
        norm_first: pre-norm, which trains without warm-up; post-norm is the paper's.
        norm: "layer" for layer norm, "rms" to divide by the root mean square alone, "unscaled" to
            learn nothing besides.
        stochastic_depth: how often the branch is left out for an example while training; it weighs
            the more when it is not.

    Call arguments:
        inputs: `x`, `(..., dim)`.
        branch: `f(enter(x))`, `(..., dim)`. Without it the call is `enter`, with it `leave`.

    Returns:
        `(..., dim)`.

    Raises:
        ValueError: for an unknown norm, a rate that is not from 0 to below 1, or a branch that is
            not shaped as the inputs.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.1 and 5.4. Pre-norm: Xiong et
        al. 2020, "On Layer Normalization in the Transformer Architecture", figure 1. Layer norm:
        Ba, Kiros, Hinton 2016, "Layer Normalization", section 3. RMSNorm: Zhang and Sennrich 2019,
        "Root Mean Square Layer Normalization", eq. 4. Stochastic depth: Huang et al. 2016, "Deep
        Networks with Stochastic Depth", eq. 2.
    """

    def __init__(self, dropout=0.0, norm_first=True, norm="layer", stochastic_depth=0.0, **kwargs):
        super().__init__(**kwargs)
        check_choice("Residual", NORMS, norm=norm)
        check_rate("Residual", dropout=dropout, stochastic_depth=stochastic_depth)
        self.dropout = dropout
        self.norm_first = norm_first
        self.norm_name = norm
        self.stochastic_depth = stochastic_depth
        self.supports_masking = True
        self.norm = make_norm(norm, dtype=self.dtype_policy, name="norm")
        self.branch_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, inputs_shape, branch_shape=None):
        self.norm.build(inputs_shape)
        one_choice = (None,) + (1,) * (len(inputs_shape) - 1)  # for each example
        self.depth = keras.layers.Dropout(
            self.stochastic_depth, noise_shape=one_choice, dtype=self.dtype_policy
        )

    def enter(self, inputs):
        """What the branch gets."""
        return self(inputs)

    def leave(self, inputs, branch, training=False):
        """Join the branch's answer to what went in."""
        return self(inputs, branch, training=training)

    def call(self, inputs, branch=None, training=False):
        if branch is None:
            return self.norm(inputs) if self.norm_first else inputs
        shapes.check_alike(self.name, "branch", branch, inputs, "inputs")
        branch = self.branch_dropout(branch, training=training)
        joined = inputs + self.depth(branch, training=training)
        return joined if self.norm_first else self.norm(joined)

    def get_config(self):
        return {
            **super().get_config(),
            "dropout": self.dropout,
            "norm_first": self.norm_first,
            "norm": self.norm_name,
            "stochastic_depth": self.stochastic_depth,
        }


def make_norm(norm, **options):
    """The norm layer of that name."""
    layer = NORMS[norm](epsilon=1e-5, **options)
    layer.supports_masking = True  # which Keras's RMS norm forgets to say
    return layer
