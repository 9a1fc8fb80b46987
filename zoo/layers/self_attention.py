"""Multi-head attention of a sequence to itself."""

import keras
from keras import ops

from zoo.layers import attend


@keras.saving.register_keras_serializable("zoo")
class SelfAttention(keras.layers.Layer):
    """Multi-head self-attention, with one projection for queries, keys and values.

        Q, K, V = x W_q, x W_k, x W_v
        head_i  = softmax(Q_i K_i^T / sqrt(d / heads)) V_i
        output  = [head_1; ...; head_n] W_o

    The three projections are one matrix product of width 3 d, which is what makes it faster than
    three. Given a `value` besides `query`, the two are projected by the same weights apart.

    Args:
        num_heads: how many heads; must divide the width.
        causal: hide later positions: query i looks at keys 0..i only.
        dropout: rate for the attention weights while training.

    Call arguments:
        query: `(batch, queries, dim)`.
        value: `(batch, keys, dim)`; `query` when not given.
        key: `(batch, keys, dim)`; `value` when not given.
        mask: boolean `(batch, queries)`: stands in for `value_mask` when `value` is not given.
            Filled in from `query`'s Keras mask when `query` comes alone.
        value_mask: boolean `(batch, keys)`, True for a key that may be looked at.
        return_attention_scores: also return the weights.
        cache: `(batch, positions, 2 * dim)`, keys and values of the positions so far, to decode
            one token at a time: see `empty_cache`. `query` is then `(batch, 1, dim)`.
        position: int `(batch,)`, which position `query` stands at. Goes with `cache`.
        return_cache: also return the keys and values that were attended to.

    Returns:
        `(batch, queries, dim)`; then, if asked for, the weights `(batch, heads, queries, keys)`,
        and the keys and values `(batch, keys, 2 * dim)`: with `cache`, the cache with this
        position filled in.

    Raises:
        ValueError: for shapes that do not fit, or heads that do not divide the width.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.2, eq. 1; 3.2.3 for the causal
        mask.
    """

    def __init__(self, num_heads, causal=False, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.causal = causal
        self.dropout = dropout
        self.supports_masking = True

    def build(self, query_shape, value_shape=None, key_shape=None, cache_shape=None):
        dim = query_shape[-1]
        if dim % self.num_heads:
            raise ValueError(f"{self.name}: `num_heads` {self.num_heads} must divide width {dim}.")
        self.dim = dim
        self.projection = keras.layers.Dense(3 * dim, dtype=self.dtype_policy, name="projection")
        self.projection.build((None, None, dim))
        self.output_projection = keras.layers.Dense(dim, dtype=self.dtype_policy, name="output")
        self.output_projection.build((None, None, dim))
        self.weight_dropout = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)

    def empty_cache(self, batch, positions):
        """Room for the keys and values of `positions` positions: `(batch, positions, 2 * dim)`."""
        return ops.zeros((batch, positions, 2 * self.dim), dtype=self.compute_dtype)

    def call(
        self,
        query,
        value=None,
        key=None,
        mask=None,
        value_mask=None,
        return_attention_scores=False,
        cache=None,
        position=None,
        return_cache=False,
        training=False,
    ):
        if value is None and value_mask is None:
            value_mask = mask
        attend.check_shapes(self.name, query, query if value is None else value, key, value_mask)
        q, memory = self._project(query, value, key, value_mask)
        if cache is None:
            seen = attend.key_mask(value_mask)
            if self.causal:
                seen = attend.both(seen, attend.causal_mask(ops.shape(q)[1], ops.shape(memory)[1]))
        else:
            memory, seen = self._remember(cache, memory, position)
        k, v = ops.split(memory, 2, axis=-1)
        dropout = self.weight_dropout if training and self.dropout else None
        context, weights = attend.multi_head(q, k, v, self.num_heads, seen, dropout)
        answers = (self.output_projection(context),)
        answers += (weights,) if return_attention_scores else ()
        answers += (memory,) if return_cache else ()
        return answers if len(answers) > 1 else answers[0]

    def _project(self, query, value, key, value_mask):
        """Queries; and keys and values side by side, `(batch, keys, 2 * dim)`."""
        dim = self.dim
        if value is None:
            projected = self.projection(attend.blank(query, value_mask))
            return projected[..., :dim], projected[..., dim:]
        key = value if key is None else key
        q = self.projection(query)[..., :dim]
        k = self.projection(attend.blank(key, value_mask))[..., dim : 2 * dim]
        v = self.projection(attend.blank(value, value_mask))[..., 2 * dim :]
        return q, ops.concatenate([k, v], axis=-1)

    def _remember(self, cache, entry, position):
        """Put `entry (batch, 1, 2 * dim)` at `position`; the mask allows all up to it."""
        places = ops.expand_dims(ops.arange(ops.shape(cache)[1], dtype="int32"), 0)
        position = ops.expand_dims(ops.cast(position, "int32"), 1)  # (batch, 1)
        here = ops.expand_dims(ops.equal(places, position), -1)  # (batch, positions, 1)
        return ops.where(here, entry, cache), attend.key_mask(places <= position)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "causal": self.causal,
            "dropout": self.dropout,
        }
