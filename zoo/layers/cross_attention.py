"""Multi-head attention of one sequence to another."""

import keras
from keras import ops

from zoo.layers import attend, heads, shapes
from zoo.layers.multi_head import MultiHead

PROJECTED = ("query", "projected", "value_mask")


@keras.saving.register_keras_serializable("zoo")
class CrossAttention(MultiHead):
    """Multi-head attention from queries to a memory of another length and width.

        head_i = softmax(Q_i K_i^T / sqrt(d / heads)) V_i,  Q = x W_q,  K = m W_k,  V = m W_v
        output = [head_1; ...; head_n] W_o

    Args:
        num_heads, num_kv_heads, dropout, qk_norm, gated: as in `MultiHead`: grouped-query and
            multi-query attention, normed queries and keys, a gated output.

    Call arguments:
        query: `(batch, queries, dim)`.
        value: `(batch, keys, value_dim)`.
        key: `(batch, keys, key_dim)`; `value` when not given.
        value_mask: boolean `(batch, keys)`, True for a key that may be looked at. Filled in from
            `value`'s Keras mask when not given.
        attention_mask: boolean `(batch, queries, keys)`, True where the query may look.
        return_attention_scores: also return the weights.

    Returns:
        `(batch, queries, dim)`; with `return_attention_scores`, a pair with the weights
        `(batch, heads, queries, keys)`.

    Raises:
        ValueError: for shapes that do not fit, or heads that do not divide the width.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.2.3 (encoder-decoder attention).
    """

    def __init__(
        self, num_heads, dropout=0.0, num_kv_heads=None, qk_norm=False, gated=False, **kwargs
    ):
        super().__init__(num_heads, num_kv_heads, dropout, qk_norm, gated, **kwargs)

    def build(self, query_shape, value_shape, key_shape=None, attention_mask_shape=None):
        dim, key_dim = query_shape[-1], (key_shape or value_shape)[-1]
        self.divide(dim)
        self.query_projection = self.dense(dim, dim)
        # No bias: it would add one number to all of a query's scores, which softmax takes away;
        # a norm of the keys would not take it away, but has no need of it.
        self.key_projection = self.dense(self.kv_dim, key_dim, use_bias=False)
        self.value_projection = self.dense(self.kv_dim, value_shape[-1])
        self.by_heads = ByHeads(self.num_kv_heads, dtype=self.dtype_policy)
        self.build_heads(dim)

    def project_memory(self, value, key=None, value_mask=None):
        """Keys (normed) and values of a memory, `(batch, num_kv_heads, keys, width)` each."""
        key = self.key_projection(attend.blank(value if key is None else key, value_mask))
        value = self.value_projection(attend.blank(value, value_mask))
        return self.norm_keys(self.by_heads(key)), self.by_heads(value)

    def check_projected(self, layer, query, projected, mask, names=PROJECTED):
        """Refuse what `project_memory` does not make, or not for these queries, as `layer`."""
        kept = (self.num_kv_heads, self.head_width)
        shapes.check_projected(layer, query, projected, mask, *kept, names)

    def attend(
        self,
        query,
        projected,
        value_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=False,
    ):
        """The call's answer, for a memory that went through `project_memory`.

        `query` may hold several rows for each row of the memory (the hypotheses of a beam), as
        many for each, in which case the rows of one source lie together.

        Raises:
            ValueError: for shapes that do not fit.
        """
        self.check_projected(self.name, query, projected, value_mask)
        key, value = projected
        shapes.check_attention_mask(self.name, attention_mask, query, key.shape[2])
        # Of the mask, since layers share it: a graph then looks its size up once for all of them.
        sources = key if value_mask is None else value_mask
        mask = None if attention_mask is None else attend.per_source(attention_mask, sources)
        queries = heads.split_queries(self.query_projection(query), self.num_heads, sources)
        answer, weights = self.attend_heads(
            self.norm_queries(queries),
            key,
            value,
            mask=attend.both(attend.key_mask(value_mask), mask),
            training=training,
            weights_wanted=return_attention_scores,
        )
        output = self.project_output(query, attend.per_hypothesis(answer, query))
        if not return_attention_scores:
            return output
        weights = ops.swapaxes(weights, 1, 2)  # (batch, beams * queries, heads, keys)
        rows = (*shapes.sizes(query)[:2], *ops.shape(weights)[2:])
        return output, ops.swapaxes(ops.reshape(weights, rows), 1, 2)

    def call(
        self,
        query,
        value,
        key=None,
        value_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=False,
    ):
        shapes.check_shapes(self.name, query, value, key, value_mask)
        projected = self.project_memory(value, key, value_mask)
        return self.attend(
            query, projected, value_mask, attention_mask, return_attention_scores, training
        )


@keras.saving.register_keras_serializable("zoo")
class ByHeads(keras.layers.Layer):
    """`heads.split_heads` as a layer, so that a functional model may call it on unknown sizes."""

    def __init__(self, num_heads, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads

    def call(self, sequence):
        return heads.split_heads(sequence, self.num_heads)

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads}
