"""Multiplicative and concat attention of Luong et al. 2015."""

import keras
from keras import ops

from zoo.layers import attend, shapes
from zoo.layers.arguments import check_choice, check_whole
from zoo.layers.attention import Attention
from zoo.layers.chunks import in_chunks
from zoo.layers.dense import Dense

SCORES = ("dot", "scaled", "general", "concat", "location")


@keras.saving.register_keras_serializable("zoo")
class LuongAttention(Attention):
    """Luong's global attention, with any of his scores.

        dot:      score(h_t, h_s) = h_t . h_s
        scaled:   score(h_t, h_s) = h_t . h_s / sqrt(d)
        general:  score(h_t, h_s) = h_t . (W_a h_s)
        concat:   score(h_t, h_s) = v_a . tanh(W_a [h_t; h_s])
        location: score(h_t, h_s) = (W_a h_t)_s

    Scaled is Vaswani's dot, with d the width. Location looks at where a key stands alone. The
    layer returns the context `c_t`. The attentional vector `tanh(W_c [c_t; h_t])` (eq. 5) is the
    decoder's: see `RecurrentDecoder`.

    Args:
        score: one of the above. Dot and scaled ask for queries and keys of one width.
        units: width of `W_a`'s output in concat; the query's width when not given.
        max_length: how many keys there are at most, for location: the height of its `W_a`.
        chunks: for concat; see `BahdanauAttention`.

    Call arguments, returns and errors: as `Attention`; also a `ValueError` for location with more
        keys than `max_length`. Where a graph knows their number only as it runs, the run fails.

    Reference:
        Luong, Pham, Manning 2015, "Effective Approaches to Attention-based Neural Machine
        Translation", section 3.1, eq. 7 and 8. Scaled: Vaswani et al. 2017, section 3.2.1, eq. 1.
    """

    def __init__(self, score="general", units=None, max_length=128, chunks=1, **kwargs):
        super().__init__(**kwargs)
        check_choice("LuongAttention", SCORES, score=score)
        check_whole("LuongAttention", optional=True, units=units)
        check_whole("LuongAttention", max_length=max_length, chunks=chunks)
        self.score_name = score
        self.units = units
        self.max_length = max_length
        self.chunks = chunks

    def build(self, query_shape, value_shape, key_shape=None):
        query_dim, key_dim = query_shape[-1], (key_shape or value_shape)[-1]
        if self.score_name in ("dot", "scaled") and query_dim != key_dim:
            raise ValueError(
                f"LuongAttention: the {self.score_name} score needs queries and keys of one width, "
                f"got {query_dim} and {key_dim}; use score='general'."
            )
        if self.score_name == "general":
            self.key_projection = self._projection(query_dim, "key", key_dim)
        if self.score_name == "concat":
            units = self.units or query_dim
            self.query_projection = self._projection(units, "query", query_dim)
            self.key_projection = self._projection(units, "key", key_dim)
            self.v = self.add_weight(shape=(units,), initializer="glorot_uniform", name="v")
        if self.score_name == "location":
            self.query_projection = self._projection(self.max_length, "query", query_dim)

    def _projection(self, units, name, dim):
        name = f"{self.name}_{name}"  # its own, where two attentions stand in one graph
        dense = Dense(units, use_bias=False, dtype=self.dtype_policy, name=name)
        dense.build((None, None, dim))
        return dense

    def project_key(self, key):
        return self.key_projection(key) if self.score_name in ("general", "concat") else key

    def score(self, query, key):
        if self.score_name == "location":
            return self._by_location(self.query_projection(query), key)
        if self.score_name == "concat":
            query, v = self.query_projection(query), ops.cast(self.v, self.compute_dtype)
            return in_chunks(attend.additive_scores, self.chunks, query, key, v)
        shapes.check_width(self.name, "query", query.shape[-1], key.shape[-1])
        if self.score_name == "scaled":
            query = query * ops.cast(query.shape[-1] ** -0.5, query.dtype)
        return attend.dot_scores(query, key)

    def _by_location(self, scores, key):
        batch, queries, _ = ops.shape(scores)
        keys = ops.shape(key)[1]
        if isinstance(key.shape[1], int) and key.shape[1] > self.max_length:  # on JAX: a symbol
            raise ValueError(
                f"LuongAttention: the location score has `max_length` {self.max_length}, got a "
                f"memory of {key.shape[1]} keys; make it as long, or take another score."
            )
        # In a graph that does not know the length yet, this is what fails in the error's place.
        return ops.reshape(scores[:, :, :keys], (batch, queries, keys))

    def get_config(self):
        own = {"units": self.units, "max_length": self.max_length, "chunks": self.chunks}
        return {**super().get_config(), "score": self.score_name, **own}
