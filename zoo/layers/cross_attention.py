"""Multi-head attention of one sequence to another."""

import keras
from keras import ops

from zoo.layers import attend


@keras.saving.register_keras_serializable("zoo")
class CrossAttention(keras.layers.Layer):
    """Multi-head attention from queries to a memory of another length and width.

        head_i = softmax(Q_i K_i^T / sqrt(d / heads)) V_i,  Q = x W_q,  K = m W_k,  V = m W_v
        output = [head_1; ...; head_n] W_o

    Args:
        num_heads: how many heads; must divide the queries' width.
        dropout: rate for the attention weights while training.

    Call arguments:
        query: `(batch, queries, dim)`.
        value: `(batch, keys, value_dim)`.
        key: `(batch, keys, key_dim)`; `value` when not given.
        value_mask: boolean `(batch, keys)`, True for a key that may be looked at. Filled in from
            `value`'s Keras mask when not given.
        return_attention_scores: also return the weights.

    Returns:
        `(batch, queries, dim)`; with `return_attention_scores`, a pair with the weights
        `(batch, heads, queries, keys)`.

    Raises:
        ValueError: for shapes that do not fit, or heads that do not divide the width.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.2.3 (encoder-decoder attention).
    """

    def __init__(self, num_heads, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.dropout = dropout
        self.supports_masking = True

    def build(self, query_shape, value_shape, key_shape=None):
        dim = query_shape[-1]
        if dim % self.num_heads:
            raise ValueError(f"{self.name}: `num_heads` {self.num_heads} must divide width {dim}.")
        self.query_projection = self._dense(dim, query_shape)
        # No bias: it would add one number to all of a query's scores, which softmax takes away.
        self.key_projection = self._dense(dim, key_shape or value_shape, use_bias=False)
        self.value_projection = self._dense(dim, value_shape)
        self.output_projection = self._dense(dim, query_shape)
        self.weight_dropout = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)

    def _dense(self, units, shape, use_bias=True):
        dense = keras.layers.Dense(units, use_bias=use_bias, dtype=self.dtype_policy)
        dense.build((None, None, shape[-1]))
        return dense

    def project_memory(self, value, key=None, value_mask=None):
        """Keys and values of a memory, side by side: `(batch, keys, 2 * dim)`."""
        key = self.key_projection(attend.blank(value if key is None else key, value_mask))
        value = self.value_projection(attend.blank(value, value_mask))
        return ops.concatenate([key, value], axis=-1)

    def attend(self, query, projected, value_mask=None, training=False):
        """Output and weights, for a memory that went through `project_memory`.

        `query` may hold several rows for each row of the memory (the hypotheses of a beam), in
        which case the rows of one source lie together.
        """
        key, value = ops.split(projected, 2, axis=-1)
        grouped = attend.per_source(self.query_projection(query), projected)
        dropout = self.weight_dropout if training and self.dropout else None
        mask = attend.key_mask(value_mask)
        context, weights = attend.multi_head(grouped, key, value, self.num_heads, mask, dropout)
        weights = ops.swapaxes(weights, 1, 2)  # (batch, beams * queries, heads, keys)
        rows = (*ops.shape(query)[:2], *ops.shape(weights)[2:])
        weights = ops.swapaxes(ops.reshape(weights, rows), 1, 2)
        return self.output_projection(attend.per_hypothesis(context, query)), weights

    def call(
        self,
        query,
        value,
        key=None,
        value_mask=None,
        return_attention_scores=False,
        training=False,
    ):
        attend.check_shapes(self.name, query, value, key, value_mask)
        projected = self.project_memory(value, key, value_mask)
        output, weights = self.attend(query, projected, value_mask, training)
        return (output, weights) if return_attention_scores else output

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "dropout": self.dropout}
