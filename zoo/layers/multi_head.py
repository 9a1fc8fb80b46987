"""What self-attention and cross-attention share."""

import keras

from zoo.layers import heads
from zoo.layers.arguments import check_rate, check_whole
from zoo.layers.dense import Dense


class MultiHead(keras.layers.Layer):
    """Heads, their norms, the gate and the output projection: the base of multi-head attentions.

        output = (g * [head_1; ...; head_n]) W_o,   g = sigmoid(x W_g) with `gated`, else 1

    Args:
        num_heads: how many heads; must divide the width.
        num_kv_heads: how many heads the keys and values have; must divide `num_heads`. As many as
            the queries when not given; 1 for multi-query attention.
        dropout: rate for the attention weights while training.
        qk_norm: bring each head's query and key to root mean square 1, times a learned gain, so
            that scores can't grow without bound.
        gated: let each query decide, feature by feature, how much of the answer to take.
    """

    def __init__(
        self, num_heads, num_kv_heads=None, dropout=0.0, qk_norm=False, gated=False, **kwargs
    ):
        super().__init__(**kwargs)
        check_heads(type(self).__name__, num_heads, num_kv_heads)
        check_rate(type(self).__name__, dropout=dropout)
        self.num_heads = num_heads
        self.num_kv_heads = num_heads if num_kv_heads is None else num_kv_heads
        self.dropout = dropout
        self.qk_norm = qk_norm
        self.gated = gated
        self.supports_masking = True

    def divide(self, dim):
        """The widths that the heads make of the layer's.

        Raises:
            ValueError: where they do not divide it.
        """
        if dim % self.num_heads:
            raise ValueError(f"{self.name}: `num_heads` {self.num_heads} must divide width {dim}.")
        self.dim = dim
        self.head_width = dim // self.num_heads
        self.kv_dim = self.num_kv_heads * self.head_width

    def build_heads(self, dim):
        """Build what comes after the projections: norms, gate and output."""
        self.output_projection = self.dense(dim, dim)
        self.gate = self.dense(dim, dim, activation="sigmoid") if self.gated else None
        self.query_norm = self._norm() if self.qk_norm else None
        self.key_norm = self._norm() if self.qk_norm else None
        self.weight_dropout = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)

    # Without names of their own, so that a functional model may hold those of several layers.
    def dense(self, units, width, **options):
        dense = Dense(units, dtype=self.dtype_policy, **options)
        dense.build((None, None, width))
        return dense

    def _norm(self):
        norm = keras.layers.RMSNormalization(dtype=self.dtype_policy)
        norm.build((None, None, None, self.head_width))
        return norm

    def norm_queries(self, query):
        """Projected queries by heads `(batch, heads, queries, width)`, normed."""
        return query if self.query_norm is None else self.query_norm(query)

    def norm_keys(self, key):
        """Projected keys by heads `(batch, kv_heads, keys, width)`, normed."""
        return key if self.key_norm is None else self.key_norm(key)

    def attend_heads(
        self, query, key, value, mask=None, causal=False, bias=None, more=None,
        training=False, weights_wanted=True,
    ):  # fmt: skip
        """Each head's answer, side by side, and its weights: None where they were not wanted.

        Where nothing asks for the weights, neither a caller nor `more`, the backend's own kernel
        answers, but for dropout, or else block after block of queries: in inference, so that the
        weights of one block are held at a time, and, `causal`, so that none looks at later keys.
        """
        dropout = self.weight_dropout if training and self.dropout else None
        asked = weights_wanted or more is not None
        if heads.FUSED and dropout is None and not asked:
            answer, weights = heads.fused(query, key, value, mask, bias, causal), None
        elif asked or (training and not causal):  # whose gradient keeps all weights anyway
            first = 0 if causal else None
            answer, weights = heads.multi_head(query, key, value, mask, bias, dropout, more, first)
        else:
            answer, weights = heads.in_blocks(query, key, value, mask, bias, dropout, causal), None
        return heads.merge_heads(answer), weights if weights_wanted else None

    def project_output(self, query, answer):
        """The heads' answers `(batch, queries, dim)`, gated by the layer's queries, projected."""
        return self.output_projection(answer if self.gate is None else self.gate(query) * answer)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "num_kv_heads": self.num_kv_heads,
            "dropout": self.dropout,
            "qk_norm": self.qk_norm,
            "gated": self.gated,
        }


def check_heads(layer, num_heads, num_kv_heads):
    """Numbers of heads of the queries, and of the keys and values; None for as many."""
    check_whole(layer, num_heads=num_heads)
    check_whole(layer, optional=True, num_kv_heads=num_kv_heads)
    if num_kv_heads is not None and num_heads % num_kv_heads:
        raise ValueError(
            f"{layer}: `num_kv_heads` {num_kv_heads} must divide `num_heads` {num_heads}."
        )
