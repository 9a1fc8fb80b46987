"""Multiplicative and concat attention of Luong et al. 2015."""

import keras

from zoo.layers import attend
from zoo.layers.attention import Attention

SCORES = ("dot", "general", "concat")


@keras.saving.register_keras_serializable("zoo")
class LuongAttention(Attention):
    """Luong's global attention, with any of his three content-based scores.

        dot:      score(h_t, h_s) = h_t . h_s
        general:  score(h_t, h_s) = h_t . (W_a h_s)
        concat:   score(h_t, h_s) = v_a . tanh(W_a [h_t; h_s])

    The layer returns the context `c_t`. The attentional vector `tanh(W_c [c_t; h_t])` (eq. 5) is
    the decoder's: see `RecurrentDecoder`.

    Args:
        score: "dot", "general" or "concat". Dot asks for queries and keys of one width.
        units: width of `W_a`'s output in concat; the query's width when not given.

    Call arguments, returns and errors: as `Attention`.

    Reference:
        Luong, Pham, Manning 2015, "Effective Approaches to Attention-based Neural Machine
        Translation", section 3.1, eq. 7 and 8.
    """

    def __init__(self, score="general", units=None, **kwargs):
        super().__init__(**kwargs)
        if score not in SCORES:
            raise ValueError(f"LuongAttention: `score` must be one of {SCORES}, got {score!r}.")
        self.score_name = score
        self.units = units

    def build(self, query_shape, value_shape, key_shape=None):
        query_dim, key_dim = query_shape[-1], (key_shape or value_shape)[-1]
        if self.score_name == "dot" and query_dim != key_dim:
            raise ValueError(
                f"LuongAttention: the dot score needs queries and keys of one width, got "
                f"{query_dim} and {key_dim}; use score='general'."
            )
        if self.score_name == "general":
            self.key_projection = self._projection(query_dim, "key", key_dim)
        if self.score_name == "concat":
            units = self.units or query_dim
            self.query_projection = self._projection(units, "query", query_dim)
            self.key_projection = self._projection(units, "key", key_dim)
            self.v = self.add_weight(shape=(units,), initializer="glorot_uniform", name="v")

    def _projection(self, units, name, dim):
        dense = keras.layers.Dense(units, use_bias=False, dtype=self.dtype_policy, name=name)
        dense.build((None, None, dim))
        return dense

    def project_key(self, key):
        return key if self.score_name == "dot" else self.key_projection(key)

    def score(self, query, key):
        if self.score_name == "concat":
            return attend.additive_scores(self.query_projection(query), key, self.v)
        return attend.dot_scores(query, key)

    def get_config(self):
        return {**super().get_config(), "score": self.score_name, "units": self.units}
