"""Attention that keeps account of what it has looked at, of Tu et al. 2016."""

import keras
from keras import ops

from zoo.layers import attend
from zoo.layers.arguments import check_number
from zoo.layers.bahdanau_attention import BahdanauAttention
from zoo.layers.dense import Dense


@keras.saving.register_keras_serializable("zoo")
class CoverageAttention(BahdanauAttention):
    """Additive attention that sees how far each key is covered already.

        e_ij  = v_a . tanh(W_a s_{i-1} + U_a h_j + V_a C_{i-1,j} + b)
        C_ij  = C_{i-1,j} + a_ij / Phi_j,     Phi_j = N sigmoid(U_f h_j + b_f)

    This is the paper's linguistic coverage: `Phi_j` is how many target words a key is expected to
    be looked at for. It is kept above `N / 100`, so that what it divides stays finite.

    Args:
        max_fertility: N, above 0.
        units, normed: as in `BahdanauAttention`.

    Call arguments, returns and errors: as `Attention`. The state is the coverage, one number a
    key, so that queries are taken one by one.

    Reference:
        Tu, Lu, Liu, Liu, Li 2016, "Modeling Coverage for Neural Machine Translation", section 3.1
        (the score) and 3.1.1 (linguistic coverage).
    """

    parallel = False

    def __init__(self, units=None, max_fertility=2.0, normed=False, **kwargs):
        if "chunks" in kwargs:
            raise ValueError(
                "CoverageAttention: takes no `chunks`, since its queries go one by one; got "
                f"{kwargs['chunks']!r}."
            )
        super().__init__(units, normed, **kwargs)
        check_number("CoverageAttention", above=0, max_fertility=max_fertility)
        self.max_fertility = max_fertility

    def build(self, query_shape, value_shape, key_shape=None):
        super().build(query_shape, value_shape, key_shape)
        shape = self.v.shape
        self.coverage = self.add_weight(shape=shape, initializer="glorot_uniform", name="coverage")
        self.fertility = Dense(1, dtype=self.dtype_policy, name=f"{self.name}_fertility")
        self.fertility.build(key_shape or value_shape)

    def project_key(self, key):
        """`U_a h_j + b`, and behind it `Phi_j`."""
        share = ops.maximum(ops.sigmoid(self.fertility(key)), 0.01)
        return ops.concatenate([self.key_projection(key), self.max_fertility * share], axis=-1)

    def start(self, value):
        return [ops.zeros_like(value[:, :, 0], dtype="float32")]

    def align(self, query, key, mask, state):
        key, fertility = key[..., :-1], ops.cast(key[..., -1], "float32")
        covered = ops.cast(state[0], query.dtype)
        coverage = ops.expand_dims(covered, -1) * ops.cast(self.coverage, query.dtype)
        key = ops.expand_dims(key, 1) + coverage  # (batch, queries, keys, units)
        query = ops.expand_dims(self.query_projection(query), 2)
        scores = ops.matmul(ops.tanh(query + key), ops.expand_dims(self.vector(), -1))
        weights = attend.masked_softmax(ops.squeeze(scores, -1), mask)
        more = ops.cast(weights, "float32") / ops.expand_dims(fertility, 1)
        return weights, [state[0] + more]

    def get_config(self):
        config = {**super().get_config(), "max_fertility": self.max_fertility}
        del config["chunks"]  # one query at a time is as little as can be held
        return config
