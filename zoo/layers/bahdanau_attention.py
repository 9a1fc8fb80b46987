"""Additive attention of Bahdanau et al. 2015."""

import keras

from zoo.layers import attend
from zoo.layers.attention import Attention


@keras.saving.register_keras_serializable("zoo")
class BahdanauAttention(Attention):
    """Additive attention: `e_ij = v_a . tanh(W_a s_{i-1} + U_a h_j)`.

    Whether the query is the decoder's state of step i-1, as in the paper, is up to the caller:
    `RecurrentDecoder(attend="before")` passes that one.

    Args:
        units: width of the alignment model's hidden layer (n' in the paper); the query's width
            when not given.

    Call arguments, returns and errors: as `Attention`.

    Reference:
        Bahdanau, Cho, Bengio 2015, "Neural Machine Translation by Jointly Learning to Align and
        Translate", section 3.1, eq. 5 and 6; appendix A.1.2.
    """

    def __init__(self, units=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, query_shape, value_shape, key_shape=None):
        units = self.units or query_shape[-1]
        self.query_projection = keras.layers.Dense(
            units, use_bias=False, dtype=self.dtype_policy, name="query"
        )
        self.key_projection = keras.layers.Dense(units, dtype=self.dtype_policy, name="key")
        self.query_projection.build(query_shape)
        self.key_projection.build(key_shape or value_shape)
        self.v = self.add_weight(shape=(units,), initializer="glorot_uniform", name="v")

    def project_key(self, key):
        return self.key_projection(key)

    def score(self, query, key):
        return attend.additive_scores(self.query_projection(query), key, self.v)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
