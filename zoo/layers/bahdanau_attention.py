"""Additive attention of Bahdanau et al. 2015."""

import keras
from keras import ops

from zoo.layers import attend
from zoo.layers.arguments import check_whole
from zoo.layers.attention import Attention
from zoo.layers.chunks import in_chunks
from zoo.layers.dense import Dense


@keras.saving.register_keras_serializable("zoo")
class BahdanauAttention(Attention):
    """Additive attention: a small network scores each key.

        e_ij = v_a . tanh(W_a s_{i-1} + U_a h_j + b),   a_ij = softmax_j(e_ij)
        normed: g v_a / ||v_a|| in place of v_a

    The bias `b`, which the paper leaves out of its formulas, is the keys' projection's, so that it
    is added once for a sequence. Whether the query is the decoder's state of step i-1, as in the
    paper, is up to the caller: `RecurrentDecoder(attend="before")` passes that one.

    Args:
        units: width of the alignment model's hidden layer (n' in the paper); the query's width
            when not given.
        normed: `g v_a / ||v_a||` in place of `v_a`, with a learned gain g that starts from
            `1 / sqrt(units)`.
        chunks: the queries are taken in so many parts, one after the other, so that of the hidden
            layer `(batch, queries, keys, units)` only a part is held at a time, in training too,
            where it is computed again for the gradient. 1: all at once. The numbers are the same.

    Call arguments, returns and errors: as `Attention`.

    Reference:
        Bahdanau, Cho, Bengio 2015, "Neural Machine Translation by Jointly Learning to Align and
        Translate", section 3.1, eq. 5 and 6; appendix A.1.2. Normed: Salimans, Kingma 2016,
        "Weight Normalization", section 2, eq. 2.
    """

    def __init__(self, units=None, normed=False, chunks=1, **kwargs):
        super().__init__(**kwargs)
        check_whole(type(self).__name__, optional=True, units=units)
        check_whole(type(self).__name__, chunks=chunks)
        self.units = units
        self.normed = normed
        self.chunks = chunks

    def build(self, query_shape, value_shape, key_shape=None):
        units = self.units or query_shape[-1]
        self.query_projection = Dense(
            units, use_bias=False, dtype=self.dtype_policy, name=f"{self.name}_query"
        )
        self.key_projection = Dense(units, dtype=self.dtype_policy, name=f"{self.name}_key")
        self.query_projection.build(query_shape)
        self.key_projection.build(key_shape or value_shape)
        self.v = self.add_weight(shape=(units,), initializer="glorot_uniform", name="v")
        if self.normed:
            start = keras.initializers.Constant(units**-0.5)
            self.gain = self.add_weight(shape=(), initializer=start, name="gain")

    def project_key(self, key):
        return self.key_projection(key)

    def score(self, query, key):
        query = self.query_projection(query)
        return in_chunks(attend.additive_scores, self.chunks, query, key, self.vector())

    def vector(self):
        """`v_a`, normed where that is asked for: `(units,)`."""
        if not self.normed:
            return ops.cast(self.v, self.compute_dtype)
        v = ops.cast(self.v, "float32")  # a square has no room in float16
        length = ops.sqrt(ops.maximum(ops.sum(ops.square(v)), 1e-30))
        return ops.cast(ops.cast(self.gain, "float32") * v / length, self.compute_dtype)

    def get_config(self):
        own = {"units": self.units, "normed": self.normed, "chunks": self.chunks}
        return {**super().get_config(), **own}
